"""What several commands need: their common options, and the way to a running daemon."""
