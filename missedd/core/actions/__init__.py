"""The life of an action: its states, outcomes and retries, and its stored details."""
