"""What one node tells the others: new timers for the leading node, and polls that have changed for all.

News may get lost. The leading node reads the database anyway, so a lost one only delays.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from missedd.store.actions.rows import Timer


class News(Protocol):
    """Sends news to the other nodes, soon. No method waits or fails."""

    def wake(self, timers: Iterable[Timer]) -> None:
        """Tell the leading node of timers that were just committed here."""
        ...

    def request_catch_up(self) -> None:
        """Tell the leading node that a call was refused here, so an early catch-up round is needed."""
        ...

    def publish_poll(self, poll: str) -> None:
        """Tell all nodes that a poll has changed."""
        ...


class NoNews:
    """The news of a node that has its database alone: nobody needs to be told."""

    def wake(self, timers: Iterable[Timer]) -> None:
        """Do nothing: this node leads."""

    def request_catch_up(self) -> None:
        """Do nothing: this node leads."""

    def publish_poll(self, poll: str) -> None:
        """Do nothing: all who watch are on this node."""
