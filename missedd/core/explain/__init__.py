"""Explains in sentences why something happened or did not happen."""
