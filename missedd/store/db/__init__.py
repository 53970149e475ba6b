"""What every database has: connections, units of work, group commit, the writing actor."""
