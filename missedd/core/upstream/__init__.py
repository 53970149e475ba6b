"""How the provider and the applications respond: trouble, held lanes, limits for slow endpoints."""
