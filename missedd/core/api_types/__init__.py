"""The objects of the API, each described once: its JSON, its CSV and its OpenAPI schema come from here.

A class `LeadJson` is the schema `Lead`. The store makes these objects, and whoever shows them (the API, the
console, the commands) reads their attributes. Keys that Python keeps for itself have an underscore here:
the key `from` is the attribute `from_`.
"""
