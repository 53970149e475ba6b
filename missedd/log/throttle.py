"""What keeps the log readable however much goes on: repeats are counted, and no event floods it.

Nothing is lost without a word: what was counted or left out is told in the end, with its count. Pure:
the instant is an argument, and whoever asks writes the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LINES_A_SECOND: Final = 200
"""Of any one event. A line costs a third of a call's whole time, and nobody reads a thousand a second."""

TELL_EVERY: Final = timedelta(hours=1)
"""What goes on is told at least so often, and has ended when nothing was heard of it for as long."""

KEYS_REMEMBERED: Final = 1024
"""Different repeats that are counted; beyond, the oldest is forgotten and would be said again."""


@dataclass(slots=True)
class Repeat:
    """Something that happens again and again: how often so far, and how often when it was last told."""

    event: str
    fields: Mapping[str, object]
    since: datetime
    heard_at: datetime
    told_at: datetime
    times: int = 0
    told: int = 0

    def is_to_be_told(self, now: datetime) -> bool:
        """Whether this time is one to be told: the first, 10th, 100th …, and one an hour after the last."""
        return str(self.times).strip("0") == "1" or now - self.told_at >= TELL_EVERY


class Repeats:
    """What goes on, by event and a key that tells apart what goes on at the same time."""

    def __init__(self) -> None:
        self._going_on: dict[tuple[str, str], Repeat] = {}

    def again(
        self, event: str, key: str, fields: Mapping[str, object], now: datetime
    ) -> tuple[Repeat, list[Repeat]]:
        """Count one more, and what has ended by it: it was silent for too long, or one too many."""
        over = []
        known = self._going_on.pop((event, key), None)  # taken out and put back: the youngest stands last
        if known is not None and now - known.heard_at >= TELL_EVERY:
            over.append(known)
            known = None
        repeat = known or Repeat(event, fields, now, now, now)
        repeat.times += 1
        repeat.heard_at = now
        self._going_on[event, key] = repeat
        if len(self._going_on) > KEYS_REMEMBERED:
            over.append(self._going_on.pop(next(iter(self._going_on))))
        return repeat, over

    def end(self, event: str, key: str) -> Repeat | None:
        """Forget one, as it has ended; None if it was not going on."""
        return self._going_on.pop((event, key), None) if self._going_on else None

    def silent(self, now: datetime | None) -> Iterator[Repeat]:
        """Forget those of which nothing was heard for an hour, or all of them where `now` is None."""
        for place, repeat in list(self._going_on.items()):
            if now is not None and now - repeat.heard_at < TELL_EVERY:
                return  # the others are younger
            del self._going_on[place]
            yield repeat


class Room:
    """How many lines of each event the present second still takes, and what was left out."""

    def __init__(self) -> None:
        self._second: datetime | None = None
        self._lines: dict[str, int] = {}
        self._left_out: dict[str, tuple[int, int]] = {}

    def is_left(self, event: str, now: datetime) -> bool:
        """Whether a line would be written."""
        return now.replace(microsecond=0) != self._second or self._lines.get(event, 0) < LINES_A_SECOND

    def takes(self, event: str, rank: int, now: datetime) -> bool:
        """Count a line of that level; False if it is to be left out."""
        second = now.replace(microsecond=0)
        if second != self._second:
            self._second = second
            self._lines.clear()
        lines = self._lines[event] = self._lines.get(event, 0) + 1
        if lines <= LINES_A_SECOND:
            return True
        count, worst = self._left_out.get(event, (0, 0))
        self._left_out[event] = count + 1, max(worst, rank)
        return False

    def left_out(self, now: datetime | None) -> list[tuple[str, int, int]]:
        """What earlier seconds left out and nobody told of yet, with `None` also the present one: each event
        with its count and its worst level."""
        if not self._left_out or (now is not None and now.replace(microsecond=0) == self._second):
            return []
        told = [(event, count, worst) for event, (count, worst) in self._left_out.items()]
        self._left_out.clear()
        return told
