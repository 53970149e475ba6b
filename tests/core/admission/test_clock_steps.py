"""A clock that was set forward: what is unconfirmed after which steps, and what confirms it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from missedd.core.admission.clock_steps import (
    MAX_UNCONFIRMED,
    UnconfirmedClockStep,
    apply_clock_step,
    has_expired,
    is_confirmed_by,
)
from tests.core.campaigns import NOON, minutes, seconds

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("steps", "ahead"),
    [
        pytest.param([HOUR], HOUR, id="set on"),
        pytest.param([HOUR, -HOUR], None, id="and put right"),
        pytest.param([HOUR, seconds(1) - HOUR], None, id="put right but for a second"),
        pytest.param([HOUR, -minutes(20)], minutes(40), id="put right in part"),
        pytest.param([HOUR, HOUR], 2 * HOUR, id="set on twice"),
        pytest.param([-HOUR], -HOUR, id="set back"),
        pytest.param([-HOUR, HOUR], None, id="set back, and put right"),
        pytest.param([seconds(0)], None, id="asleep for a while, and that is known"),
    ],
)
def test_what_is_unconfirmed(steps: list[timedelta], ahead: timedelta | None) -> None:
    unconfirmed = None
    for n, by in enumerate(steps):
        unconfirmed = apply_clock_step(unconfirmed, by, 100.0 + n)
    if ahead is None:
        assert unconfirmed is None
    else:
        assert unconfirmed == UnconfirmedClockStep(ahead, 100.0 + MAX_UNCONFIRMED.total_seconds())
        assert unconfirmed.max_age_error == max(ahead, timedelta(0))
        assert not has_expired(unconfirmed, 100.0)
        assert has_expired(unconfirmed, 100.0 + MAX_UNCONFIRMED.total_seconds())


@pytest.mark.parametrize(
    ("told", "by_it"),
    [
        pytest.param(timedelta(0), True, id="a call of just now, by the new time"),
        pytest.param(-minutes(57), True, id="of a time that had not come, by the old one"),
        pytest.param(-minutes(59), False, id="perhaps of just now, by the old one"),
        pytest.param(-HOUR, False, id="of just now, by the old time"),
        pytest.param(-2 * HOUR, False, id="long ago by either"),
        pytest.param(minutes(3), False, id="of a wrong clock"),
    ],
)
def test_which_call_confirms_an_hour(told: timedelta, by_it: bool) -> None:
    assert is_confirmed_by(UnconfirmedClockStep(HOUR, 0.0), NOON + told, NOON) is by_it


def test_a_clock_that_is_behind_makes_nothing_too_old_and_is_not_confirmed() -> None:
    assert not is_confirmed_by(UnconfirmedClockStep(-HOUR, 0.0), NOON, NOON)
