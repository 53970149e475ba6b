"""A campaign that an operator has paused: nobody is called and no SMS is sent for it until the pause ends.

A pause does not change the times of an action: neither its due time nor its expiry. So an action that waits
for the end of a pause is judged again when it expires, if that comes first. It reaches an outcome even if
nobody ends the pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from missedd.core.audit import Actor

_TICK: Final = timedelta(microseconds=1)
"""The store's smallest time unit: this much after its expiry an action is too old."""

_NEVER: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pause:
    """`until` is None if the pause lasts until an operator ends it."""

    campaign: str
    since: datetime
    until: datetime | None
    why: str
    by: Actor

    def is_active_at(self, at: datetime) -> bool:
        return self.until is None or at < self.until

    def next_check_at(self, expires_at: datetime | None) -> datetime:
        """When to judge an action again that waits for the end of this pause."""
        return next_check_at(self.until or _NEVER, expires_at)


def next_check_at(until: datetime, expires_at: datetime | None) -> datetime:
    """When to judge an action again that waits until `until`: at its expiry, if that comes first."""
    return until if expires_at is None else min(until, expires_at + _TICK)


def check_at_expiry(expires_at: datetime | None) -> datetime:
    """When to judge an action again that waits for something without a known end: at its expiry."""
    return next_check_at(_NEVER, expires_at)
