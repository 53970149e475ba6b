"""Requests to the provider: the rate limiter, the sender, the state of each lane."""
