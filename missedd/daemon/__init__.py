"""The composition root: connects the daemon's parts, and builds the sites that its listeners serve."""
