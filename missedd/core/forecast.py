"""When a backlog will be gone, at what the account's budget lets through.

A fluid picture, minute by minute: so much waits, so much becomes due in each minute that is known,
and so much goes out in each. Look-ups spend the same budget and retries come on top, so it is the
best case, and said as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

MINUTE: Final = timedelta(minutes=1)
KNOWN_MINUTES: Final = 60
"""How far ahead what becomes due is counted."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one lane owes: `due` are those whose instant has come and that wait for their turn."""

    due: int = 0
    coming: Sequence[int] = field(default_factory=tuple)
    """How many more become due in each of the next minutes."""

    @property
    def soon(self) -> int:
        return sum(self.coming)


def gone_in(backlog: Backlog, per_minute: int) -> timedelta:
    """How long until nothing waits for its turn any more; at once if nothing does."""
    waiting = backlog.due
    if waiting == 0:
        return timedelta(0)
    for minute, more in enumerate(backlog.coming):
        if waiting <= per_minute and waiting + more <= per_minute:
            return minute * MINUTE + (waiting + more) * MINUTE / per_minute
        waiting += more - per_minute
    return len(backlog.coming) * MINUTE + waiting * MINUTE / per_minute
