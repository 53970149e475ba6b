"""How the nodes on one PostgreSQL know each other: their list, the leadership, the news."""
