"""The running parts of the daemon: intake, timers, dispatchers, reconciliation, webhooks, alerts."""
