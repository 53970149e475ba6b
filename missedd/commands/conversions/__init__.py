"""How `missedd convert` reads a file of conversions and hands it over, a batch at a time."""
