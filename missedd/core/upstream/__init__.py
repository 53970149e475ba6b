"""How the provider and applications are doing: trouble, lanes that are held, places for slow endpoints."""
