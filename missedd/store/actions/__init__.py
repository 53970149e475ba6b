"""Actions on disk: claims, attempts, outcomes, timers, agents, pauses, quarantine."""
