"""The moving parts, each an actor: intake, timers, dispatcher, pacing, reconcile, deliveries."""
