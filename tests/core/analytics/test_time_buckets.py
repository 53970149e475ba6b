"""Periods as whole buckets plus remainders, and buckets covered by the fewest runs."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from missedd.core.analytics.time_buckets import (
    AFTER_US,
    BEFORE_US,
    SPANS,
    TimeBucket,
    cover_with_buckets,
    split_period,
)

INSTANTS = st.one_of(st.integers(0, 60), st.sampled_from((BEFORE_US, AFTER_US)))


def holding(at: int, bounds: list[int]) -> TimeBucket | None:
    """The bucket that contains a time; `bounds` are the starts of all buckets, and the end of the last."""
    if at >= bounds[-1]:
        return None
    number = bisect_right(bounds, at) - 1
    return TimeBucket(number, bounds[number], bounds[number + 1])


@given(
    since=INSTANTS,
    until=INSTANTS,
    inner=st.sets(st.integers(0, 50), max_size=8),
    only_add=st.booleans(),
)
@example(since=11, until=11, inner={10, 12}, only_add=False)
@example(since=11, until=AFTER_US, inner={10, 12}, only_add=False)
@example(since=5, until=7, inner=set(), only_add=False)
def test_stretches_and_rests_make_the_period(since: int, until: int, inner: set[int], only_add: bool) -> None:
    bounds = [BEFORE_US, *sorted(inner)]
    end = TimeBucket(len(bounds) - 1, bounds[-1], bounds[-1])
    parts = split_period(
        since, until, holding(since, bounds), holding(until, bounds), end, additive_only=only_add
    )
    assert all(rest.since_us < rest.until_us for rest in parts.remainders)
    assert not only_add or all(rest.sign == 1 for rest in parts.remainders)
    edges = {since, until, *bounds}
    for at in (moment for edge in edges for moment in (edge - 1, edge, edge + 1)):
        if at < BEFORE_US:
            continue
        stretch = holding(at, bounds)
        is_whole = stretch is not None and parts.first <= stretch.number < parts.last
        assert not is_whole or parts.since_us <= at < parts.until_us
        counted = is_whole + sum(
            rest.sign for rest in parts.remainders if rest.since_us <= at < rest.until_us
        )
        assert counted == (since <= at < until), at
        if parts.is_open and at >= parts.until_us:
            assert stretch is None


@given(since=st.integers(0, 60), until=st.integers(0, 60), inner=st.sets(st.integers(0, 50), min_size=1))
def test_no_more_than_half_a_stretch_at_either_end_is_counted(
    since: int, until: int, inner: set[int]
) -> None:
    bounds = [BEFORE_US, *sorted(inner), AFTER_US]
    low, high = holding(since, bounds), holding(until, bounds)
    parts = split_period(
        since, until, low, high, TimeBucket(len(bounds) - 1, AFTER_US, AFTER_US), additive_only=False
    )
    assert low is not None
    assert high is not None
    if parts.first < parts.last:
        longest = max(each.until_us - each.since_us for each in (low, high))
        assert all(2 * (rest.until_us - rest.since_us) <= longest for rest in parts.remainders)


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 6000))
def test_a_cover_has_every_stretch_once(first: int, length: int, made: int) -> None:
    last = first + length
    stretches = Counter[int]()
    runs = list(cover_with_buckets(first, last, made))
    for level, low, high in runs:
        assert low < high
        span = SPANS[level]
        assert level == 0 or high * span <= made
        stretches.update(range(low * span, high * span))
    assert stretches == Counter(range(first, last))
    assert len(runs) <= 2 * len(SPANS) + 1
