"""A webhook becomes a decision: the queue, the batches, and the catch-up after lost webhooks."""
