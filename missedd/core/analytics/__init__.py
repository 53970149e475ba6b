"""Analytics of a period, computed from hourly counts."""
