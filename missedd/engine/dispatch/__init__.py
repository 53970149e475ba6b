"""A due action becomes a request: claim, attempt, result, and the probes of a held lane."""
