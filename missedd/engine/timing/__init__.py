"""When an action is due: timers, the queue of due actions, steps of the wall clock."""
