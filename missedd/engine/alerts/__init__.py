"""Troubles that need a person: they are held in memory, counted, and written to the log."""
