"""What goes wrong now and needs a person: kept, counted, and told in the log."""
