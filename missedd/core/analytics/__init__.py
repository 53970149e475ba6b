"""Figures of a period, from counts by hour."""
