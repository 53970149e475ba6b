"""Several nodes on one PostgreSQL: this node among the others, elections, news."""
