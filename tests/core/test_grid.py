"""Hours of a zone as numbers, and periods as whole hours and pieces."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from missedd.clock import from_us, to_us
from missedd.core.grid import AFTER_US, BEFORE_US, SPANS, Grid, cover, divide, grid_of

HALF_US = 1_800_000_000


@pytest.mark.parametrize(
    ("timezone", "width_us", "phase_us"),
    [
        ("UTC", 2 * HALF_US, 0),
        ("Asia/Kolkata", 2 * HALF_US, HALF_US),
        ("Asia/Kathmandu", 2 * HALF_US, HALF_US // 2),
        ("Europe/Berlin", 2 * HALF_US, 0),
        ("America/St_Johns", 2 * HALF_US, HALF_US),
        ("Australia/Lord_Howe", HALF_US, 0),
    ],
)
def test_the_grid_of_a_zone(timezone: str, width_us: int, phase_us: int) -> None:
    assert grid_of(timezone) == Grid(width_us, phase_us)


@pytest.mark.parametrize("timezone", sorted(available_timezones())[::7])
def test_every_hour_of_the_grid_lies_in_one_local_hour(timezone: str) -> None:
    grid, zone, at = grid_of(timezone), ZoneInfo(timezone), datetime(2026, 1, 1, tzinfo=UTC)
    while at.year == 2026:
        begins_us = grid.start_of(grid.hour_of(to_us(at)))
        ends = from_us(begins_us + grid.width_us) - timedelta(microseconds=1)
        assert from_us(begins_us).astimezone(zone).hour == ends.astimezone(zone).hour
        at += timedelta(hours=31)


INSTANTS = st.one_of(
    st.integers(-5 * HALF_US, 60 * HALF_US),
    st.integers(-3, 30).map(lambda n: n * HALF_US),
    st.sampled_from((BEFORE_US, AFTER_US)),
)


@given(
    since=INSTANTS,
    until=INSTANTS,
    summed=INSTANTS,
    phase=st.sampled_from((0, HALF_US)),
    only_add=st.booleans(),
)
@example(since=40 * 60_000_000, until=AFTER_US, summed=50 * 60_000_000, phase=0, only_add=False)
def test_hours_and_pieces_make_the_period(
    since: int, until: int, summed: int, phase: int, only_add: bool
) -> None:
    grid = Grid(phase_us=phase)
    parts = divide(since, until, summed, grid, only_add=only_add)
    assert all(piece.since_us < piece.until_us for piece in parts.pieces)
    assert not only_add or all(piece.sign == 1 for piece in parts.pieces)
    bounds = {since, until, summed, *(at for piece in parts.pieces for at in piece[:2])}
    bounds |= {grid.start_of(parts.first), grid.start_of(parts.last)}
    for at in (moment for bound in bounds for moment in (bound - 1, bound, bound + 1)):
        is_summed = at < summed and parts.first <= grid.hour_of(at) < parts.last
        counted = is_summed + sum(
            piece.sign for piece in parts.pieces if piece.since_us <= at < piece.until_us
        )
        assert counted == (since <= at < until), at


@given(since=INSTANTS, until=INSTANTS)
def test_no_more_than_half_an_hour_at_either_end_is_counted_one_by_one(since: int, until: int) -> None:
    parts = divide(since, until, AFTER_US, Grid())
    if parts.first < parts.last:
        assert all(piece.until_us - piece.since_us <= HALF_US for piece in parts.pieces)


@given(st.integers(-3000, 3000), st.integers(0, 3000), st.integers(-3000, 6000))
def test_a_cover_has_every_hour_once(first: int, length: int, closed: int) -> None:
    last = first + length
    hours = Counter[int]()
    stretches = list(cover(first, last, closed))
    for level, low, high in stretches:
        assert low < high
        span = SPANS[level]
        assert level == 0 or high * span <= max(closed, low * span)
        hours.update(range(low * span, high * span))
    assert hours == Counter(range(first, last))
    assert len(stretches) <= 2 * len(SPANS) + 1
