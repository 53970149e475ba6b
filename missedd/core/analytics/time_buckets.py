"""Time divided into buckets of a few hundred calls each, numbered in order; and how a period is made of them.

A bucket is the unit of a rollup: a minute at a peak, or a week of quiet. So the part of a period outside its
whole buckets has at most a few hundred calls, which are counted one by one. Buckets are combined into larger
ones, one size for each *level*, so that years need only a few additions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

SPANS: Final = (1, 32, 32 * 32)
"""How many buckets of level 0 a bucket of each level has. Tests replace it in this module alone."""

BEFORE_US: Final = -(2**62)
"""Microseconds earlier than any time: the start of a period without a bound."""
AFTER_US: Final = 2**62
"""Microseconds later than any time: the end of a period without a bound."""


class TimeBucket(NamedTuple):
    """The first bucket begins before any time; the last one ends where the rollups end. Times are
    microseconds since 1970."""

    number: int
    since_us: int
    until_us: int


class Remainder(NamedTuple):
    """Rows that are counted one by one: added, or subtracted from a bucket (`sign` -1)."""

    since_us: int
    until_us: int
    sign: int = 1


@dataclass(frozen=True, slots=True)
class PeriodParts:
    """A period as whole buckets plus remainders.

    The buckets are `first` (included) to `last` (excluded; it may equal `first`), in time `since_us` to
    `until_us`. `is_open` says that the period extends to the end of the buckets or beyond.
    """

    first: int = 0
    last: int = 0
    since_us: int = 0
    until_us: int = 0
    is_open: bool = False
    remainders: tuple[Remainder, ...] = ()


def split_period(
    since_us: int,
    until_us: int,
    low: TimeBucket | None,
    high: TimeBucket | None,
    end: TimeBucket,
    *,
    additive_only: bool,
) -> PeriodParts:
    """Split a period into whole buckets plus remainders.

    `low` and `high` are the buckets at its bounds; None if the rollups end before that bound. `end` is the
    bucket after the last one. At each bound the nearer edge of the bucket is used, and single rows are added
    or subtracted to correct the difference. With `additive_only` nothing is subtracted, because a set of
    callers can only grow.
    """
    if low is None:
        return PeriodParts(remainders=_without_empty(Remainder(since_us, until_us)))
    first, first_us = low.number, low.since_us
    if first_us < since_us and (additive_only or low.until_us - since_us <= since_us - first_us):
        first, first_us = first + 1, low.until_us
    last, last_us = end.number, end.since_us
    if high is not None:
        last, last_us = high.number, high.since_us
        if not additive_only and high.until_us - until_us < until_us - last_us:
            last, last_us = last + 1, high.until_us
    if first >= last:
        return PeriodParts(remainders=_without_empty(Remainder(since_us, until_us)))
    rests = _without_empty(
        Remainder(since_us, first_us),
        Remainder(first_us, since_us, -1),
        Remainder(last_us, until_us),
        Remainder(until_us, last_us, -1),
    )
    return PeriodParts(first, last, first_us, last_us, high is None, rests)


def _without_empty(*remainders: Remainder) -> tuple[Remainder, ...]:
    return tuple(each for each in remainders if each.since_us < each.until_us)


class BucketRun(NamedTuple):
    """The buckets of a level from `first` (included) to `last` (excluded)."""

    level: int
    first: int
    last: int


def cover_with_buckets(
    first: int, last: int, complete: int, level: int = len(SPANS) - 1
) -> Iterator[BucketRun]:
    """The fewest runs that cover the level-0 buckets from `first` (included) to `last` (excluded).

    A bucket of a higher level is used only if all its level-0 buckets are among the first `complete`.
    """
    span = SPANS[level]
    low, high = -(-first // span), (min(last, complete) if level else last) // span
    if low >= high:
        if level:
            yield from cover_with_buckets(first, last, complete, level - 1)
        return
    if first < low * span:
        yield from cover_with_buckets(first, low * span, complete, level - 1)
    yield BucketRun(level, low, high)
    if high * span < last:
        yield from cover_with_buckets(high * span, last, complete, level - 1)
