"""Which range of the provider's list is read, and which calls are known afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from missedd.core.admission.catch_up_window import (
    MAX_CALL_DURATION,
    MAX_RANGE,
    OVERLAP,
    WEBHOOK_GRACE,
    TimeRange,
    Watermark,
    next_covered_until,
    next_range,
)
from tests.core.campaigns import NOON, minutes, seconds

LONG_AGO = NOON - timedelta(days=400)

YEAR = timedelta(days=365)
instants = st.timedeltas(-YEAR, YEAR).map(lambda each: NOON + each)


def test_the_catch_up_window_overlaps_the_last_one_and_ends_some_minutes_ago() -> None:
    stretch = next_range(Watermark(LONG_AGO, NOON - minutes(10)), NOON)
    assert stretch == TimeRange(NOON - minutes(12), NOON - minutes(2))


def test_nothing_from_before_missedd_began_is_read() -> None:
    assert next_range(Watermark(NOON, NOON), NOON) is None
    assert next_range(Watermark(NOON, NOON), NOON + seconds(121)) == TimeRange(NOON, NOON + seconds(1))


def test_after_a_long_absence_a_month_is_read() -> None:
    stretch = next_range(Watermark(LONG_AGO, NOON - timedelta(days=200)), NOON)
    assert stretch is not None
    assert stretch.since == NOON - MAX_RANGE


def test_a_mark_that_a_wrong_clock_made_is_not_waited_for() -> None:
    stretch = next_range(Watermark(LONG_AGO, NOON + timedelta(hours=5)), NOON)
    assert stretch == TimeRange(NOON - WEBHOOK_GRACE - OVERLAP, NOON - WEBHOOK_GRACE)


def test_the_list_knows_whole_seconds() -> None:
    stretch = TimeRange(NOON + seconds(0.7), NOON + seconds(10))
    assert [stretch.contains(NOON + seconds(each)) for each in (-1, 0, 10, 10.1)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_call_that_goes_on_is_left_for_the_next_time_but_not_for_ever() -> None:
    stretch = TimeRange(NOON - minutes(60), NOON)
    assert next_covered_until(stretch, None) == NOON
    assert next_covered_until(stretch, NOON - minutes(5)) == NOON - minutes(5)
    assert next_covered_until(stretch, NOON - minutes(59)) == NOON - MAX_CALL_DURATION


@given(instants, instants, instants)
def test_every_stretch_is_settled_bounded_and_ours(
    since_at: datetime, covered: datetime, now: datetime
) -> None:
    stretch = next_range(Watermark(since_at, covered), now)
    if stretch is not None:
        assert since_at <= stretch.since < stretch.until == now - WEBHOOK_GRACE
        assert stretch.until - stretch.since <= MAX_RANGE


@given(instants, st.lists(st.floats(1, 7200), min_size=2, max_size=20))
def test_no_instant_is_left_out_between_two_rounds(began: datetime, waits_s: list[float]) -> None:
    mark, now, read_until = Watermark(began, began), began, began
    for wait_s in waits_s:
        now += timedelta(seconds=wait_s)
        stretch = next_range(mark, now)
        if stretch is None:
            continue
        assert stretch.since <= read_until
        read_until = stretch.until
        mark = Watermark(began, next_covered_until(stretch, None))
