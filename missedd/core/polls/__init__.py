"""Polls by missed call: which vote counts, the tally, the signed result."""
