"""Time cut into the hours of a zone, numbered; and which of them a period has whole.

A zone's hours begin where its clocks show a full hour: in India at half past, by UTC. Numbered from
1970 they add up to longer buckets, a *level* each, so that years are a few additions. A bucket of the
second level is 24 hours and no calendar day: days are made of hours where they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from math import gcd
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

HOUR_US: Final = 3_600_000_000

SPANS: Final = (1, 24, 24 * 32)
"""How many hours a bucket of each level has."""

BEFORE_US: Final = -(2**62)
AFTER_US: Final = 2**62
"""Earlier and later than any instant: the ends of a period without a bound."""

_FIRST_YEAR, _LAST_YEAR = 2005, 2045
"""Of calls that there can be. Where a law changes a zone in years to come the summaries are made anew."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Hours begin `phase_us` after a multiple of `width_us` since 1970 UTC."""

    width_us: int = HOUR_US
    phase_us: int = 0

    def hour_of(self, at_us: int) -> int:
        return (at_us - self.phase_us) // self.width_us

    def start_of(self, hour: int) -> int:
        return hour * self.width_us + self.phase_us

    def hour_after(self, at_us: int) -> int:
        """The first hour that begins at an instant or later."""
        return -(-(at_us - self.phase_us) // self.width_us)

    def nearest(self, at_us: int) -> int:
        """The hour whose beginning is nearest."""
        return self.hour_of(at_us + self.width_us // 2)


@cache
def grid_of(timezone: str) -> Grid:
    """The grid on which each hour lies in one local hour, summer and winter.

    Where a zone's clocks are set by parts of an hour (Lord Howe Island's are), its "hours" are
    those parts.
    """
    zone, at = ZoneInfo(timezone), datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    offsets_s = set[int]()
    while at.year < _LAST_YEAR:
        offsets_s.add(round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds()))
        at += timedelta(days=7)
    first_s = min(offsets_s)
    width_us = gcd(HOUR_US, *((each - first_s) * 1_000_000 for each in offsets_s))
    return Grid(width_us, -first_s * 1_000_000 % width_us)


class Piece(NamedTuple):
    """A part of an hour, whose facts are counted one by one: added, or taken away from a whole hour."""

    since_us: int
    until_us: int
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Parts:
    """A period as whole hours and pieces.

    The hours go from `first` up to before `last`, which may be `first`. What of them is summed lies at
    or after `since_us` and before `until_us`.
    """

    first: int
    last: int
    since_us: int
    until_us: int
    pieces: tuple[Piece, ...]


def divide(
    since_us: int, until_us: int, summed_until_us: int, grid: Grid, *, only_add: bool = False
) -> Parts:
    """A period, given that the summaries hold what lies before `summed_until_us` and nothing else.

    At either end the nearest full hour is taken, and what is too much of it is counted and taken
    away: so no more than half an hour is counted one by one, beside what is not summed yet. With
    `only_add` nothing is taken away, as sets of callers can only grow.
    """
    end_us = min(until_us, summed_until_us)
    first = grid.hour_after(since_us) if only_add else grid.nearest(since_us)
    if end_us == summed_until_us:
        last = grid.hour_after(end_us)  # begun or not: nothing later is in it
    else:
        last = grid.hour_of(end_us) if only_add else grid.nearest(end_us)
    if first >= last:
        return Parts(0, 0, 0, 0, _pieces(Piece(since_us, until_us)))
    first_us, last_us = grid.start_of(first), grid.start_of(last)
    pieces = [Piece(since_us, first_us), Piece(first_us, since_us, -1)]
    if end_us == summed_until_us:
        pieces.append(Piece(summed_until_us, until_us))
    else:
        pieces += [Piece(last_us, end_us), Piece(end_us, min(last_us, summed_until_us), -1)]
    return Parts(first, last, first_us, min(last_us, summed_until_us), _pieces(*pieces))


def _pieces(*pieces: Piece) -> tuple[Piece, ...]:
    return tuple(each for each in pieces if each.since_us < each.until_us)


class Stretch(NamedTuple):
    """The buckets of a level from `first` up to before `last`."""

    level: int
    first: int
    last: int


def cover(first: int, last: int, closed: int, level: int = len(SPANS) - 1) -> Iterator[Stretch]:
    """The fewest stretches that make the hours from `first` up to before `last`.

    Only below the hour `closed` there are buckets above the hours'.
    """
    span = SPANS[level]
    low, high = -(-first // span), min(last, closed if level else last) // span
    if low >= high:
        if level:
            yield from cover(first, last, closed, level - 1)
        return
    if first < low * span:
        yield from cover(first, low * span, closed, level - 1)
    yield Stretch(level, low, high)
    if high * span < last:
        yield from cover(high * span, last, closed, level - 1)
