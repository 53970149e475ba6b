"""The exchange: Exotel as seen from outside, in one loop with whoever uses it."""
