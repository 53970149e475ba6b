"""Durations and opening windows: how they are written, read and spelled."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from missedd.config.hours import parse_window
from missedd.config.values import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86_400),
        ("1h30m", 5400),
        ("1H 30M", 5400),
        ("1d2h3m4s", 93_784),
        (45, 45),
        (0.5, 0.5),
        ("0s", 0),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "5", "m", "5 minutes", "30m1h", "-5m", "1.5h", True, [], {}, float("nan")]
)
def test_no_durations(written: object) -> None:
    assert parse_duration(written) is None


def test_spelling_durations() -> None:
    assert [format_duration(timedelta(seconds=each)) for each in (0, 0.5, 30, 5400, 86_400)] == [
        "0s",
        "0.5s",
        "30s",
        "1h30m",
        "1d",
    ]


@pytest.mark.parametrize(
    ("written", "days", "start", "end"),
    [
        ("mon-fri 09:30-18:30", "01234", time(9, 30), time(18, 30)),
        ("sat 10:00-14:00", "5", time(10), time(14)),
        ("mon,wed 22:00-02:00", "02", time(22), time(2)),
        ("daily 09:00-21:00", "0123456", time(9), time(21)),
        ("fri-mon 9:00-24:00", "0456", time(9), time(0)),
        ("Monday, Thu-Sat 00:00-24:00", "0345", time(0), time(0)),
        ("sun-sun 10:00 \N{EN DASH} 12:00", "6", time(10), time(12)),
    ],
)
def test_windows(written: str, days: str, start: time, end: time) -> None:
    window = parse_window(written)
    assert "".join(str(each) for each in sorted(window.weekdays)) == days
    assert (window.start, window.end) == (start, end)
