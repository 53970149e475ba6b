"""When a backlog will be gone at the account's rate, and how many of its actions expire before their turn.

The forecast is a simple model with steps of one minute: some actions wait, some become due in each known
minute, and some are sent in each minute, the newest first, as the dispatcher does. What is left at its expiry
expires. Lookups share the rate limit and retries come on top, so this is the best case, and it is described
as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MINUTE: Final = timedelta(minutes=1)
FORECAST_MINUTES: Final = 60
"""How many minutes ahead actions that become due are counted."""


@dataclass(frozen=True, slots=True)
class DueGroup:
    """`count` actions that become due in one minute and expire in another; minutes count from now, starting
    at 0.

    A negative `due_minute` has passed: these actions wait for their turn. `expiry_minute` is None if they
    never expire.
    """

    due_minute: int
    expiry_minute: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """The actions that one lane owes."""

    groups: Sequence[DueGroup] = ()

    @property
    def due_now(self) -> int:
        """Actions whose due time has come."""
        return sum(group.count for group in self.groups if group.due_minute < 0)

    @property
    def due_soon(self) -> int:
        """How many more become due in the known minutes."""
        return sum(group.count for group in self.groups if group.due_minute >= 0)


@dataclass(frozen=True, slots=True)
class BacklogForecast:
    clears_in: timedelta
    """How long until no due action waits any more, sent or expired; zero if nothing is due."""
    expiring: int
    """How many expire before their turn, including actions that become due in the known minutes."""


@dataclass(slots=True)
class _WaitingGroup:
    count: int


def forecast_backlog(backlog: Backlog, per_minute: int) -> BacklogForecast:
    """When the backlog is gone and how much of it expires, if `per_minute` actions are sent."""
    arriving: defaultdict[int, list[DueGroup]] = defaultdict(list)
    for group in sorted(backlog.groups, key=lambda group: group.due_minute):
        arriving[max(0, group.due_minute)].append(group)
    stack: list[_WaitingGroup] = []  # the newest at its end
    ending: defaultdict[int, list[_WaitingGroup]] = defaultdict(list)
    waiting = expiring = minute = 0
    lasts = timedelta(0) if backlog.due_now == 0 else None
    while arriving or waiting:
        for group in arriving.pop(minute, ()):
            left = _WaitingGroup(group.count)
            stack.append(left)
            waiting += left.count
            if group.expiry_minute is not None:
                ending[max(minute, group.expiry_minute)].append(left)
        if not arriving and not ending:
            # From here on nothing happens except sending.
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
    """Take up to `limit` actions off the end, and return how many were taken."""
    room = limit
    while stack and room:
        taken = min(room, stack[-1].count)
        stack[-1].count -= taken
        room -= taken
        if stack[-1].count == 0:
            stack.pop()
    return limit - room
