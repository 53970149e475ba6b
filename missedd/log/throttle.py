"""What keeps the log readable however much goes on: repeats are counted, and no event floods it.

Nothing is lost without a word: what was counted or left out is told in the end, with its count. Pure:
the instant is an argument, and whoever asks writes the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MAX_LINES_PER_SECOND: Final = 200
"""Of any one event. A line costs a third of a call's whole time, and nobody reads a thousand a second."""

REPORT_INTERVAL: Final = timedelta(hours=1)
"""What goes on is told at least so often, and has ended when nothing was heard of it for as long."""

MAX_KEYS: Final = 1024
"""Different repeats that are counted; beyond, the oldest is forgotten and would be said again."""


@dataclass(slots=True)
class Repeat:
    """Something that happens again and again: how often so far, and how often when it was last told."""

    event: str
    fields: Mapping[str, object]
    since: datetime
    last_at: datetime
    reported_at: datetime
    times: int = 0
    reported: int = 0

    def is_due_for_report(self, now: datetime) -> bool:
        """Whether this time is one to be told: the first, 10th, 100th …, and one an hour after the last."""
        return str(self.times).strip("0") == "1" or now - self.reported_at >= REPORT_INTERVAL


class Repeats:
    """What goes on, by event and a key that tells apart what goes on at the same time."""

    def __init__(self) -> None:
        self._ongoing: dict[tuple[str, str], Repeat] = {}

    def count(
        self, event: str, key: str, fields: Mapping[str, object], now: datetime
    ) -> tuple[Repeat, list[Repeat]]:
        """Count one more, and what has ended by it: it was silent for too long, or one too many."""
        over = []
        known = self._ongoing.pop((event, key), None)  # taken out and put back: the youngest stands last
        if known is not None and now - known.last_at >= REPORT_INTERVAL:
            over.append(known)
            known = None
        repeat = known or Repeat(event, fields, now, now, now)
        repeat.times += 1
        repeat.last_at = now
        self._ongoing[event, key] = repeat
        if len(self._ongoing) > MAX_KEYS:
            over.append(self._ongoing.pop(next(iter(self._ongoing))))
        return repeat, over

    def pop(self, event: str, key: str) -> Repeat | None:
        """Forget one, as it has ended; None if it was not going on."""
        return self._ongoing.pop((event, key), None) if self._ongoing else None

    def pop_silent(self, now: datetime | None) -> Iterator[Repeat]:
        """Forget those of which nothing was heard for an hour, or all of them where `now` is None."""
        for place, repeat in list(self._ongoing.items()):
            if now is not None and now - repeat.last_at < REPORT_INTERVAL:
                return  # the others are younger
            del self._ongoing[place]
            yield repeat


class LineQuota:
    """How many lines of each event the present second still takes, and what was left out."""

    def __init__(self) -> None:
        self._second: datetime | None = None
        self._lines: dict[str, int] = {}
        self._left_out: dict[str, tuple[int, int]] = {}

    def has_room(self, event: str, now: datetime) -> bool:
        """Whether a line would be written."""
        return now.replace(microsecond=0) != self._second or self._lines.get(event, 0) < MAX_LINES_PER_SECOND

    def try_take(self, event: str, rank: int, now: datetime) -> bool:
        """Count a line of that level; False if it is to be left out."""
        second = now.replace(microsecond=0)
        if second != self._second:
            self._second = second
            self._lines.clear()
        lines = self._lines[event] = self._lines.get(event, 0) + 1
        if lines <= MAX_LINES_PER_SECOND:
            return True
        count, worst = self._left_out.get(event, (0, 0))
        self._left_out[event] = count + 1, max(worst, rank)
        return False

    def pop_left_out(self, now: datetime | None) -> list[tuple[str, int, int]]:
        """What earlier seconds left out and nobody told of yet, with `None` also the present one: each event
        with its count and its worst level."""
        if not self._left_out or (now is not None and now.replace(microsecond=0) == self._second):
            return []
        told = [(event, count, worst) for event, (count, worst) in self._left_out.items()]
        self._left_out.clear()
        return told
