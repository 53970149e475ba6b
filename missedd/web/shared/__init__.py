"""What API and console have in common: ports, problems, bodies, parameters, streams."""
