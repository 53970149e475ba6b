"""Copies of the database: online, before an upgrade, restored, inspected."""
