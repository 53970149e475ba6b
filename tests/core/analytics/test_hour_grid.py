"""The hours of a time zone as numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from missedd.base.clock import from_us, to_us
from missedd.core.analytics.hour_grid import HourGrid, hour_grid_for

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
    assert hour_grid_for(timezone) == HourGrid(width_us, phase_us)


@pytest.mark.parametrize("timezone", sorted(available_timezones())[::7])
def test_every_hour_of_the_grid_lies_in_one_local_hour(timezone: str) -> None:
    grid, zone, at = hour_grid_for(timezone), ZoneInfo(timezone), datetime(2026, 1, 1, tzinfo=UTC)
    while at.year == 2026:
        begins_us = grid.start_of(grid.hour_of(to_us(at)))
        ends = from_us(begins_us + grid.width_us) - timedelta(microseconds=1)
        assert from_us(begins_us).astimezone(zone).hour == ends.astimezone(zone).hour
        at += timedelta(hours=31)
