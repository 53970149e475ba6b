"""What a node does with news of other nodes: it wakes its live pages, and its leader's parts if it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from missedd.engine.leader_link import LeaderLink
from missedd.engine.poll_changes import PollChanges
from missedd.engine.timing.shared_timers import SharedTimers
from missedd.store.actions.rows import Timer


class NodeNewsReceiver:
    """Hands the news on to the parts of this node. No method waits or fails."""

    def __init__(self, link: LeaderLink, poll_changes: PollChanges, on_vacant: Callable[[], None]) -> None:
        """`on_vacant` is called when the leading node has handed over."""
        self._link = link
        self._poll_changes = poll_changes
        self._on_vacant = on_vacant

    @property
    def _timers(self) -> SharedTimers | None:
        timers = self._link.leader.timers if self._link.leader is not None else None
        return timers if isinstance(timers, SharedTimers) else None

    def add_timers(self, timers: Iterable[Timer]) -> None:
        """Another node has committed these timers."""
        if self._timers is not None:
            self._timers.add_found(timers)

    def reread_due(self) -> None:
        """Another node may have committed timers that nobody named."""
        if self._timers is not None:
            self._timers.request_full_read()

    def request_catch_up(self) -> None:
        """Another node has refused a call."""
        self._link.catch_up_trigger.request()

    def poll_changed(self, poll: str | None) -> None:
        """A poll has changed; None: each of them may have."""
        if poll is None:
            self._poll_changes.publish_all()
        else:
            self._poll_changes.publish(poll)

    def leadership_is_vacant(self) -> None:
        """The leading node has handed over."""
        self._on_vacant()
