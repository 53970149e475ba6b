"""Which node leads: one node sends and looks up, and every node takes calls in."""
