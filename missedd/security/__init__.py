"""Access control: passwords, login attempts, and the host names that browsers send."""
