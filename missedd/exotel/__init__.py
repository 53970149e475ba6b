"""The provider's spelling: requests to values, values to requests, answers as data."""
