"""Scenario files: their keys, and how they are read and checked."""
