"""The load generator: many callers a second against a real daemon."""
