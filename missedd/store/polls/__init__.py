"""Votes and rules of polls on disk, tallies and recounts."""
