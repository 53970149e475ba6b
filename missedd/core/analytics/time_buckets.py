"""Time cut into stretches with some hundred calls each, numbered in order; and what a period has of them.

A stretch is what is summed at once, a minute of a rush or a week of quiet. So whatever a period cuts
off at its ends is never more than a few hundred calls, which are counted one by one. Stretches add up
to longer buckets, a *level* each, so that years are a few additions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

SPANS: Final = (1, 32, 32 * 32)
"""How many stretches a bucket of each level has."""

BEFORE_US: Final = -(2**62)
AFTER_US: Final = 2**62
"""Earlier and later than any instant: the ends of a period without a bound."""


class TimeBucket(NamedTuple):
    """The first begins before any time, the last ends where what is summed ends."""

    number: int
    since_us: int
    until_us: int


class Remainder(NamedTuple):
    """What is counted one by one: added, or taken away from a stretch."""

    since_us: int
    until_us: int
    sign: int = 1


@dataclass(frozen=True, slots=True)
class PeriodParts:
    """A period as whole stretches and rests.

    The stretches go from `first` up to before `last`, which may be `first`: in time from `since_us` up
    to before `until_us`. `is_open` says that the period goes on where they end, or beyond.
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
    """A period at whose bounds are the stretches `low` and `high`: None where nothing is summed any more.

    `end` is the stretch that comes after the last. At either bound the nearer end of its stretch is
    taken, and what is too much of it is counted and taken away; with `additive_only` nothing is, as sets of
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
    """The buckets of a level from `first` up to before `last`."""

    level: int
    first: int
    last: int


def cover_with_buckets(
    first: int, last: int, complete: int, level: int = len(SPANS) - 1
) -> Iterator[BucketRun]:
    """The fewest runs that make the stretches from `first` up to before `last`.

    Above the first level there are only buckets of which all stretches are among the first `complete`.
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
