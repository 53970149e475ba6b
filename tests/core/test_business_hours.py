"""Business hours: tables of times, difficult days, and properties that hold for all hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missedd.core.business_hours import BusinessHours, DailyWindow, Holidays, WeeklyWindow

INDIA = "Asia/Kolkata"
NONE = Holidays(None, frozenset())
WEEKDAYS = frozenset(range(5))
DAILY = frozenset(range(7))
OFFICE = (WeeklyWindow(WEEKDAYS, time(9, 30), time(18, 30)), WeeklyWindow(frozenset({5}), time(10), time(14)))


def local(text: str, zone: str = INDIA, fold: int = 0) -> datetime:
    """`2026-11-23 09:30` in a zone, as a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def hours(*windows: WeeklyWindow, holidays: Holidays = NONE, zone: str = INDIA) -> BusinessHours:
    return BusinessHours(windows, holidays, zone)


# 2026-11-23 is a Monday.
@pytest.mark.parametrize(
    ("at", "is_open", "opens_at"),
    [
        ("2026-11-23 09:29:59.999999", False, "2026-11-23 09:30"),
        ("2026-11-23 09:30", True, "2026-11-23 09:30"),
        ("2026-11-23 18:29:59.999999", True, None),
        ("2026-11-23 18:30", False, "2026-11-24 09:30"),
        ("2026-11-28 09:59", False, "2026-11-28 10:00"),  # Saturday has other hours
        ("2026-11-28 13:59", True, None),
        ("2026-11-28 14:00", False, "2026-11-30 09:30"),
        ("2026-11-29 12:00", False, "2026-11-30 09:30"),  # Sunday
        ("2026-11-27 23:00", False, "2026-11-28 10:00"),
        ("2026-12-31 19:00", False, "2027-01-01 09:30"),
    ],
)
def test_a_weeks_hours(at: str, is_open: bool, opens_at: str | None) -> None:
    office = hours(*OFFICE)
    assert office.is_open(local(at)) is is_open
    assert office.next_opening(local(at)) == local(opens_at or at)


# Friday and Saturday nights, and midnight as an end.
NIGHT = hours(WeeklyWindow(frozenset({4, 5}), time(22), time(2)))
EVENING = hours(WeeklyWindow(WEEKDAYS, time(18), time(0)))
ALWAYS = hours(WeeklyWindow(DAILY, time(0), time(0)))


@pytest.mark.parametrize(
    ("which", "at", "is_open", "opens_at"),
    [
        (NIGHT, "2026-11-27 21:59", False, "2026-11-27 22:00"),
        (NIGHT, "2026-11-27 23:59", True, None),
        (NIGHT, "2026-11-28 00:00", True, None),
        (NIGHT, "2026-11-28 01:59", True, None),
        (NIGHT, "2026-11-28 02:00", False, "2026-11-28 22:00"),
        (NIGHT, "2026-11-29 01:59", True, None),  # Sunday's first hours belong to Saturday's window
        (NIGHT, "2026-11-29 02:00", False, "2026-12-04 22:00"),
        (
            NIGHT,
            "2026-11-27 01:00",
            False,
            "2026-11-27 22:00",
        ),  # Friday's first hours belong to Thursday's window
        (EVENING, "2026-11-23 23:59", True, None),
        (EVENING, "2026-11-24 00:00", False, "2026-11-24 18:00"),
        (EVENING, "2026-11-28 00:00", False, "2026-11-30 18:00"),
        (ALWAYS, "2026-11-23 00:00", True, None),
        (ALWAYS, "2026-11-23 23:59:59.999999", True, None),
    ],
)
def test_over_midnight(which: BusinessHours, at: str, is_open: bool, opens_at: str | None) -> None:
    assert which.is_open(local(at)) is is_open
    assert which.next_opening(local(at)) == local(opens_at or at)


def test_windows_may_overlap_and_come_in_any_order() -> None:
    split = hours(
        WeeklyWindow(DAILY, time(14), time(18)),
        WeeklyWindow(DAILY, time(9), time(12)),
        WeeklyWindow(DAILY, time(11), time(13)),
    )
    assert split.next_opening(local("2026-11-23 08:00")) == local("2026-11-23 09:00")
    assert split.is_open(local("2026-11-23 12:30"))
    assert split.next_opening(local("2026-11-23 13:00")) == local("2026-11-23 14:00")


KARNATAKA = Holidays("IN-KA", frozenset({date(2026, 11, 23)}))


@pytest.mark.parametrize(
    ("day", "is_holiday"),
    [
        (date(2026, 11, 1), True),  # Rajyotsava, only in Karnataka
        (date(2027, 11, 1), True),
        (date(2026, 8, 15), True),  # Independence Day, in the whole country
        (date(2026, 11, 23), True),  # a date of this business
        (date(2027, 11, 23), False),
        (date(2026, 11, 25), False),
    ],
)
def test_holidays(day: date, is_holiday: bool) -> None:
    assert (day in KARNATAKA) is is_holiday


def test_a_states_holiday_is_not_the_neighbours() -> None:
    assert date(2026, 11, 1) not in Holidays("IN", frozenset())
    assert date(2026, 11, 1) not in Holidays("IN-MH", frozenset())
    assert date(2026, 11, 1) in Holidays("IN-MH,IN-KA", frozenset())


def test_a_holiday_closes_the_windows_that_start_on_it() -> None:
    daily = hours(WeeklyWindow(DAILY, time(9), time(18)), holidays=KARNATAKA)
    assert not daily.is_open(local("2026-11-01 12:00"))
    assert daily.next_opening(local("2026-11-01 12:00")) == local("2026-11-02 09:00")
    assert daily.next_opening(local("2026-10-31 18:00")) == local("2026-11-02 09:00")
    night = hours(WeeklyWindow(DAILY, time(22), time(2)), holidays=KARNATAKA)
    assert night.is_open(local("2026-11-01 01:00"))  # the window began the evening before
    assert not night.is_open(local("2026-11-02 01:00"))  # the window would have begun on the holiday


def test_an_opening_beyond_the_horizon_is_none() -> None:
    shut = Holidays(None, frozenset(date(2026, 11, 1) + timedelta(days=n) for n in range(120)))
    daily = hours(WeeklyWindow(DAILY, time(9), time(18)), holidays=shut)
    assert daily.next_opening(local("2026-11-02 12:00")) is None
    assert daily.next_opening(local("2027-02-20 12:00")) == local("2027-03-01 09:00")
    assert hours().next_opening(local("2026-11-02 12:00")) is None


# New York 2026: 02:00 becomes 03:00 on 8 March, 02:00 becomes 01:00 on 1 November.
NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("start", "end", "day", "opens", "closes"),
    [
        (time(9), time(17), "2026-03-08", "2026-03-08 13:00", "2026-03-08 21:00"),
        (time(9), time(17), "2026-11-01", "2026-11-01 14:00", "2026-11-01 22:00"),
        (time(2, 30), time(5), "2026-03-08", "2026-03-08 07:30", "2026-03-08 09:00"),  # 03:30 to 05:00
        (time(2, 15), time(2, 45), "2026-03-08", "2026-03-08 07:15", "2026-03-08 07:45"),
        (
            time(1, 30),
            time(4),
            "2026-11-01",
            "2026-11-01 05:30",
            "2026-11-01 09:00",
        ),  # from its first occurrence
        (
            time(22),
            time(1, 30),
            "2026-10-31",
            "2026-11-01 02:00",
            "2026-11-01 05:30",
        ),  # to its first occurrence
    ],
)
def test_when_the_clocks_change(start: time, end: time, day: str, opens: str, closes: str) -> None:
    daily = hours(WeeklyWindow(DAILY, start, end), zone=NEW_YORK)
    opens_at, closes_at = local(opens, "UTC"), local(closes, "UTC")
    step = timedelta(microseconds=1)
    assert not daily.is_open(opens_at - step)
    assert daily.is_open(opens_at)
    assert daily.is_open(closes_at - step)
    assert not daily.is_open(closes_at)
    assert daily.next_opening(local(day + " 00:00", NEW_YORK) - timedelta(hours=1)) <= opens_at  # type: ignore[operator]


def test_a_window_that_the_skipped_hour_swallows_does_not_open() -> None:
    # 02:30 becomes 03:30, which is after the end, 03:00.
    daily = hours(WeeklyWindow(DAILY, time(2, 30), time(3)), zone=NEW_YORK)
    at = local("2026-03-08 00:00", NEW_YORK)
    assert daily.next_opening(at) == local("2026-03-09 02:30", NEW_YORK)


def test_clocks_that_go_forward_over_midnight() -> None:
    # Nuuk skips 23:00 to 24:00 on Saturday, 28 March 2026: 23:30 becomes 00:30 on Sunday.
    zone = "America/Nuuk"
    both = hours(
        WeeklyWindow(frozenset({5}), time(23, 30), time(4)),
        WeeklyWindow(frozenset({6}), time(0, 10), time(5)),
        zone=zone,
    )
    assert both.next_opening(local("2026-03-28 22:30", zone)) == local("2026-03-29 00:10", zone)
    late = hours(WeeklyWindow(frozenset({5}), time(23, 30), time(4)), zone=zone)
    assert late.next_opening(local("2026-03-29 00:10", zone)) == local("2026-03-29 00:30", zone)


PROMOTIONAL = DailyWindow(time(10), time(21))


@pytest.mark.parametrize(
    ("at", "release_at"),
    [
        ("2026-11-23 09:59:59", "2026-11-23 10:00"),
        ("2026-11-23 10:00", "2026-11-23 10:00"),
        ("2026-11-23 20:59:59.999999", "2026-11-23 20:59:59.999999"),
        ("2026-11-23 21:00", "2026-11-24 10:00"),
        ("2026-11-24 00:00", "2026-11-24 10:00"),
        ("2026-11-01 09:00", "2026-11-01 10:00"),  # the law has no holidays
    ],
)
def test_promotional_messages_are_released(at: str, release_at: str) -> None:
    assert PROMOTIONAL.next_opening(local(at), INDIA) == local(release_at)


def test_a_daily_window_over_midnight_and_the_whole_day() -> None:
    night = DailyWindow(time(20), time(2))
    assert night.next_opening(local("2026-11-23 01:00"), INDIA) == local("2026-11-23 01:00")
    assert night.next_opening(local("2026-11-23 02:00"), INDIA) == local("2026-11-23 20:00")
    all_day = DailyWindow(time(0), time(0))
    assert all_day.next_opening(local("2026-11-23 03:00"), INDIA) == local("2026-11-23 03:00")


@st.composite
def any_window(draw: st.DrawFn) -> WeeklyWindow:
    minutes = st.integers(0, 24 * 60 - 1).map(lambda each: time(each // 60, each % 60))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return WeeklyWindow(days, draw(minutes), draw(minutes))


@st.composite
def any_hours(draw: st.DrawFn) -> BusinessHours:
    own = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5))
    region = draw(st.sampled_from([None, "IN-KA", "IN-KA,IN-MH"]))
    zone = draw(
        st.sampled_from([INDIA, NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "America/Nuuk", "UTC"])
    )
    return BusinessHours(
        tuple(draw(st.lists(any_window(), min_size=1, max_size=4))), Holidays(region, own), zone
    )


INSTANTS = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - made aware below
    # Days around the nights in which those zones change their clocks.
    st.sampled_from([datetime(2026, 3, 8), datetime(2026, 3, 29), datetime(2026, 4, 5)]).flatmap(  # noqa: DTZ001
        lambda day: st.datetimes(day - timedelta(days=1), day + timedelta(days=1))
    ),
).map(lambda each: each.replace(second=0, microsecond=0, tzinfo=UTC))


@settings(max_examples=150, deadline=None)
@given(which=any_hours(), at=INSTANTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(which: BusinessHours, at: datetime) -> None:
    opening = which.next_opening(at)
    assert opening is not None
    assert opening >= at
    assert which.is_open(opening)
    # Every bound is a whole minute, so it is enough to check the whole minutes of one day.
    minutes = min(24 * 60, (opening - at) // timedelta(minutes=1))
    assert not any(which.is_open(at + timedelta(minutes=n)) for n in range(minutes))
    assert which.next_opening(opening) == opening


@settings(max_examples=100, deadline=None)
@given(
    start=st.times(), end=st.times(), at=INSTANTS, zone=st.sampled_from([INDIA, NEW_YORK, "Europe/Berlin"])
)
def test_a_release_is_within_two_days_and_settles(start: time, end: time, at: datetime, zone: str) -> None:
    window = DailyWindow(start, end)
    release_at = window.next_opening(at, zone)
    assert at <= release_at <= at + timedelta(days=2, hours=1)
    assert window.next_opening(release_at, zone) == release_at
