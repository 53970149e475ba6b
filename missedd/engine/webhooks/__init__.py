"""Webhooks to applications: dispatched by endpoint, sent, tried again."""
