"""What became of transactions that did not go straight through, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class WriteCounts:
    """Counts since the connection was opened. With a file all stay 0."""

    lost_commits_resolved: int = 0
    """Commits whose answer was lost, and that were asked for until it was known."""
    group_retries: int = 0
    """Transactions that ran again because of a deadlock or a key that they had not locked."""
