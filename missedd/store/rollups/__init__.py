"""Rollups: counts by period that analytics read instead of all rows, and how they are kept correct."""
