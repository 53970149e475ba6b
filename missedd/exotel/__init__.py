"""Exotel's formats: its requests are parsed to values, ours are built from values, answers are data."""
