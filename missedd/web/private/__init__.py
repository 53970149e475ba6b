"""The private site: console, API, metrics and health on one server."""
