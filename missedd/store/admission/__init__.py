"""A batch of calls is decided and recorded in one transaction."""
