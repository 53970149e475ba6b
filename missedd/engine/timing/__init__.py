"""When an action is due: timers, the queue of what is due, a clock that is set."""
