"""Who may come in: passwords, login attempts, host names that browsers are led by."""
