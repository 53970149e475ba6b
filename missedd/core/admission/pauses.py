"""A campaign that an operator has paused: nobody is called or texted for it, until that ends.

A pause is no rule of the campaign: it moves no action's own instants, neither when it is due nor
when it has grown too old. What waits for the end of a pause is therefore looked at again at its
own expiry, if that comes first, and reaches an outcome even where nobody ends the pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from missedd.core.audit import Actor

_TICK: Final = timedelta(microseconds=1)
"""The store's finest difference: this much after its expiry an action is too old."""

_NEVER: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pause:
    """`until` None is until an operator ends it."""

    campaign: str
    since: datetime
    until: datetime | None
    why: str
    by: Actor

    def is_active_at(self, at: datetime) -> bool:
        return self.until is None or at < self.until

    def next_check_at(self, expires_at: datetime | None) -> datetime:
        """When to look again at an action that waits for the end of this."""
        return next_check_at(self.until or _NEVER, expires_at)


def next_check_at(until: datetime, expires_at: datetime | None) -> datetime:
    """When to look again at an action that waits until then: as it grows too old, if that comes first."""
    return until if expires_at is None else min(until, expires_at + _TICK)


def check_at_expiry(expires_at: datetime | None) -> datetime:
    """When to look again at what waits for an end that nobody knows: as it grows too old."""
    return next_check_at(_NEVER, expires_at)
