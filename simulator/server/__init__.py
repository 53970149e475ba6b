"""Serves the exchange on a real port, with the `/_sim/` routes that control it."""
