"""Exotel as seen from outside: an exchange with its own truth, its API, its callers and its faults."""
