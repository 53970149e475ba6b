"""Requests to the provider: their rate, their sender, the state of each lane."""
