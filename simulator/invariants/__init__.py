"""Checks the promises P1 to P11 against what the exchange saw."""
