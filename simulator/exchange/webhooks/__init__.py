"""What the exchange sends: missed calls, status reports, and how they are delivered."""
