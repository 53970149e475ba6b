"""Scenario files: their keys, and the code that reads and checks them."""
