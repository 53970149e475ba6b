"""When a backlog will be gone at the rate of the account, and how much of it grows too old before its turn.

A fluid picture, minute by minute: so much waits, so much becomes due in each minute that is known, and
so much goes out in each, the freshest first, as the dispatcher has it; what is left when it is no longer
worth sending expires. Look-ups spend the same budget and retries come on top, so it is the best
case, and said as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MINUTE: Final = timedelta(minutes=1)
FORECAST_MINUTES: Final = 60
"""How far ahead what becomes due is counted."""


@dataclass(frozen=True, slots=True)
class DueGroup:
    """So many that become due in one minute from now and expire in one, both counted from 0.

    A negative `due` is a minute that has passed: they wait for their turn. What never expires has None.
    """

    due_minute: int
    expiry_minute: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one lane owes."""

    groups: Sequence[DueGroup] = ()

    @property
    def due_now(self) -> int:
        """Those whose instant has come."""
        return sum(crowd.count for crowd in self.groups if crowd.due_minute < 0)

    @property
    def due_soon(self) -> int:
        """How many more become due in the minutes that are known."""
        return sum(crowd.count for crowd in self.groups if crowd.due_minute >= 0)


@dataclass(frozen=True, slots=True)
class BacklogForecast:
    clears_in: timedelta
    """How long until nothing that is due waits any more, gone or expired; nothing if nothing is due."""
    expiring: int
    """How many expire before their turn, of what becomes due in the minutes that are known too."""


@dataclass(slots=True)
class _WaitingGroup:
    count: int


def forecast_backlog(backlog: Backlog, per_minute: int) -> BacklogForecast:
    """Say when the backlog is gone and what of it expires, where `per_minute` go out."""
    arriving: defaultdict[int, list[DueGroup]] = defaultdict(list)
    for crowd in sorted(backlog.groups, key=lambda crowd: crowd.due_minute):
        arriving[max(0, crowd.due_minute)].append(crowd)
    stack: list[_WaitingGroup] = []  # the freshest at its end
    ending: defaultdict[int, list[_WaitingGroup]] = defaultdict(list)
    waiting = expiring = minute = 0
    lasts = timedelta(0) if backlog.due_now == 0 else None
    while arriving or waiting:
        for crowd in arriving.pop(minute, ()):
            left = _WaitingGroup(crowd.count)
            stack.append(left)
            waiting += left.count
            if crowd.expiry_minute is not None:
                ending[max(minute, crowd.expiry_minute)].append(left)
        if not arriving and not ending:
            # Nothing changes any more but that it goes.
            return BacklogForecast(
                (minute + waiting / per_minute) * MINUTE if lasts is None else lasts, expiring
            )
        served = _take_newest(stack, per_minute)
        waiting -= served
        if waiting == 0 and lasts is None:
            lasts = (minute + served / per_minute) * MINUTE
        for left in ending.pop(minute, ()):
            expiring += left.count
            waiting -= left.count
            left.count = 0
        minute += 1
        if waiting == 0 and lasts is None:
            lasts = minute * MINUTE
    return BacklogForecast(lasts or timedelta(0), expiring)


def _take_newest(stack: list[_WaitingGroup], limit: int) -> int:
    """Take up to `limit` off the end, and say how many that were."""
    room = limit
    while stack and room:
        taken = min(room, stack[-1].count)
        stack[-1].count -= taken
        room -= taken
        if stack[-1].count == 0:
            stack.pop()
    return limit - room
