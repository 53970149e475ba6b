"""A due action becomes a request: claim, attempt, result, probes of a lane that is held."""
