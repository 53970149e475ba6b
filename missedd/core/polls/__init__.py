"""Polls by missed call: which votes count, the tally, the signed result."""
