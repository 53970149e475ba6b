"""Scenarios, replayed with the real daemon inside: the one place here that knows `missedd`."""
