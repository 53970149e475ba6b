"""Moving a SQLite database into a PostgreSQL, once and for good."""
