"""The promises P1 to P11, each judged from what the exchange saw."""
