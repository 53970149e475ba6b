"""The API, version 1, and the OpenAPI document that describes it."""
