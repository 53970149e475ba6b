"""Why something happened or did not, in sentences."""
