"""One of several simulated daemons: how it stands still, is cut off, and reaches the PostgreSQL of all."""
