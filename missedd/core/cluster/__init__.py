"""Several nodes on one database: who leads, whose clock to trust, who is gone."""
