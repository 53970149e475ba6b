"""The composition: the daemon's parts put together, and the sites that its listeners serve."""
