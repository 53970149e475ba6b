"""Counts by period that analytics read instead of all rows, and the way they are kept right."""
