"""The database itself: connections, units of work, group commit, the lock, migrations."""
