"""Trusted time: the daemon's running time, the time of calls, and a part of what the clock shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.trusted_time import BELIEF_RATE, TrustedTime, advance_trusted_time, trusted_now
from tests.core.campaigns import NOON

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
YEARS = 34 * 365 * DAY
spans = st.timedeltas(timedelta(0), 10 * YEARS)


@pytest.mark.parametrize(
    ("ran", "shown", "called", "until"),
    [
        pytest.param(DAY, DAY, None, DAY, id="a quiet day, by a clock that is right"),
        pytest.param(HOUR, YEARS, None, 8 * HOUR, id="an hour of the year 2060"),
        pytest.param(5 * DAY, 35 * DAY, None, 35 * DAY, id="off for a month, five days ago"),
        pytest.param(4 * DAY, 34 * DAY, None, 32 * DAY, id="off for a month, four days ago"),
        pytest.param(HOUR, 30 * DAY, 29 * DAY, 29 * DAY, id="off for a month, and a call comes in"),
        pytest.param(30 * DAY, YEARS, 30 * DAY, 30 * DAY, id="2060, and calls that tell another time"),
        pytest.param(DAY, -YEARS, None, DAY, id="a clock that is far behind"),
    ],
)
def test_what_is_past(ran: timedelta, shown: timedelta, called: timedelta | None, until: timedelta) -> None:
    latest = NOON if called is None else NOON + called
    past = advance_trusted_time(TrustedTime(NOON, NOON), latest, NOON + shown, ran)
    assert past.until - NOON == until


def test_trusted_time_is_never_later_than_the_clock() -> None:
    past = TrustedTime(NOON, NOON)
    assert trusted_now(past, NOON + DAY) == NOON
    assert trusted_now(past, NOON - DAY) == NOON - DAY


@given(st.lists(st.tuples(spans.map(lambda each: each / 1000), spans), max_size=20))
def test_a_quiet_clock_that_jumps_about_never_gains_more_than_it_may(
    hours: list[tuple[timedelta, timedelta]],
) -> None:
    past = TrustedTime(NOON, NOON)
    for ran, shown in hours:
        before, past = past, advance_trusted_time(past, NOON, NOON + shown, ran)
        assert ran <= past.until - before.until <= ran * (1 + BELIEF_RATE)
