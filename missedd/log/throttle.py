"""Keeps the log readable: repeats are counted, and no event can flood the log.

Nothing disappears silently: the log reports in the end how many lines were counted or left out. The module is
pure: the time is an argument, and the caller writes the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MAX_LINES_PER_SECOND: Final = 200
"""For each event. A line costs a third of the time of a call, and nobody reads a thousand lines a second."""

REPORT_INTERVAL: Final = timedelta(hours=1)
"""A repeated event is reported at least this often. It has ended if it has not occurred for this long."""

MAX_KEYS: Final = 1024
"""Different repeats that are counted; beyond that the oldest is forgotten and would be logged again."""


@dataclass(slots=True)
class Repeat:
    """An event that repeats: how often so far, and how often when it was last reported."""

    event: str
    fields: Mapping[str, object]
    since: datetime
    last_at: datetime
    reported_at: datetime
    times: int = 0
    reported: int = 0

    def is_due_for_report(self, now: datetime) -> bool:
        """Whether this occurrence is reported: the 1st, 10th, 100th …, and one an hour after the last
        report."""
        return str(self.times).strip("0") == "1" or now - self.reported_at >= REPORT_INTERVAL


class Repeats:
    """The repeats in progress, by event and by a key that separates repeats at the same time."""

    def __init__(self) -> None:
        self._ongoing: dict[tuple[str, str], Repeat] = {}

    def count(
        self, event: str, key: str, fields: Mapping[str, object], now: datetime
    ) -> tuple[Repeat, list[Repeat]]:
        """Count one more occurrence. Also returns the repeats that ended: silent for too long, or one too
        many."""
        ended = []
        known = self._ongoing.pop((event, key), None)  # taken out and put back: the newest stands last
        if known is not None and now - known.last_at >= REPORT_INTERVAL:
            ended.append(known)
            known = None
        repeat = known or Repeat(event, fields, now, now, now)
        repeat.times += 1
        repeat.last_at = now
        self._ongoing[event, key] = repeat
        if len(self._ongoing) > MAX_KEYS:
            ended.append(self._ongoing.pop(next(iter(self._ongoing))))
        return repeat, ended

    def pop(self, event: str, key: str) -> Repeat | None:
        """Remove a repeat that has ended; None if it was not in progress."""
        return self._ongoing.pop((event, key), None) if self._ongoing else None

    def pop_silent(self, now: datetime | None) -> Iterator[Repeat]:
        """Remove the repeats that have not occurred for an hour, or all of them if `now` is None."""
        for place, repeat in list(self._ongoing.items()):
            if now is not None and now - repeat.last_at < REPORT_INTERVAL:
                return  # the others are newer
            del self._ongoing[place]
            yield repeat


class LineQuota:
    """How many lines of each event the present second still allows, and what was left out."""

    def __init__(self) -> None:
        self._since = self._until = datetime.min.replace(tzinfo=UTC)
        """The present second; the time of a line is compared with it, which is cheaper than cutting it."""
        self._lines: dict[str, int] = {}
        self._left_out: dict[str, tuple[int, int]] = {}

    def has_room(self, event: str, now: datetime) -> bool:
        """Whether a line would be written now."""
        return not self._since <= now < self._until or self._lines.get(event, 0) < MAX_LINES_PER_SECOND

    def try_take(self, event: str, rank: int, now: datetime) -> bool:
        """Count a line of this level; False if it must be left out."""
        if not self._since <= now < self._until:
            self._since = now.replace(microsecond=0)
            self._until = self._since + timedelta(seconds=1)
            self._lines.clear()
        lines = self._lines[event] = self._lines.get(event, 0) + 1
        if lines <= MAX_LINES_PER_SECOND:
            return True
        count, worst = self._left_out.get(event, (0, 0))
        self._left_out[event] = count + 1, max(worst, rank)
        return False

    def pop_left_out(self, now: datetime | None) -> list[tuple[str, int, int]]:
        """What earlier seconds left out and was not reported yet: (event, count, highest level) each.

        If `now` is None, the present second is included.
        """
        if not self._left_out or (now is not None and self._since <= now < self._until):
            return []
        left_out = [(event, count, worst) for event, (count, worst) in self._left_out.items()]
        self._left_out.clear()
        return left_out
