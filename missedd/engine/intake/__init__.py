"""A webhook becomes a decision: the queue, the batches, the catch-up after a gap."""
