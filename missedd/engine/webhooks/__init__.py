"""Webhooks to applications: a queue for each endpoint, sending, retries, alerts."""
