"""Scenarios, replayed with the real daemon inside."""
