"""SQLite, the embedded default: drivers, the lock on the file, checks of the file, migrations."""
