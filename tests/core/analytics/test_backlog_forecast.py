"""When a backlog will be gone, and how many of its actions expire before their turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.analytics.backlog_forecast import (
    MINUTE,
    Backlog,
    BacklogForecast,
    DueGroup,
    forecast_backlog,
)

COUNTS = st.lists(st.integers(0, 400), max_size=70)


def backlog(due: int, coming: Sequence[int], lives: int | None = None) -> Backlog:
    """A number of due actions, and a number in each later minute; each expires after a number of minutes."""

    def expires(minute: int) -> int | None:
        return None if lives is None else minute + lives

    crowds = [DueGroup(-1, expires(-1), due)] if due else []
    return Backlog([*crowds, *(DueGroup(i, expires(i), more) for i, more in enumerate(coming) if more)])


@pytest.mark.parametrize(
    ("due", "coming", "per_minute", "minutes"),
    [
        (0, (500,), 200, 0),
        (50, (), 200, 0.25),
        (400, (), 200, 2),
        (200, (0, 0), 200, 1),
        (400, (0, 0, 0), 200, 2),
        (300, (100, 50), 200, 2.25),
        (100, (300, 0, 0), 200, 2),
        (100, (200, 200), 200, 2.5),
    ],
)
def test_the_forecast_says_when_the_backlog_is_gone(
    due: int, coming: tuple[int, ...], per_minute: int, minutes: float
) -> None:
    assert forecast_backlog(backlog(due, coming), per_minute) == BacklogForecast(
        timedelta(minutes=minutes), 0
    )


@given(st.integers(0, 5_000), COUNTS, st.integers(1, 500))
def test_the_forecast_ends_when_everything_due_was_sent(due: int, coming: list[int], per_minute: int) -> None:
    """Everything due by then was sent at the rate, and one more due action makes it later."""
    lasts = forecast_backlog(backlog(due, coming), per_minute).clears_in
    if due == 0:
        assert lasts == timedelta(0)
        return
    minute = -(-lasts // MINUTE)
    arrived = due + sum(coming[:minute])
    assert lasts / MINUTE * per_minute == pytest.approx(arrived, abs=1e-3)
    assert forecast_backlog(backlog(due + 1, coming), per_minute).clears_in > lasts


@pytest.mark.parametrize(
    ("crowds", "per_minute", "expected"),
    [
        # 1,511 actions that expire in a minute, at 200 a minute: 400 are sent in two minutes.
        ([(-1, 1, 1511)], 200, (2, 1111)),
        # The newest go first, so the older ones expire, in any order of the groups.
        ([(-5, 0, 100), (-1, 9, 300)], 200, (1.5, 100)),
        ([(-1, 9, 300), (-5, 0, 100)], 200, (1.5, 100)),
        # Actions that become due later go first.
        ([(-1, 1, 300), (1, 20, 200)], 200, (2, 100)),
        # Nothing is due now, but too many become due together at an opening.
        ([(30, 44, 4000)], 200, (0, 1000)),
        # Actions that never expire wait until the end.
        ([(-1, None, 100), (-1, 0, 300)], 100, (2, 200)),
        ([(-3, 0, 0)], 1, (0, 0)),
    ],
)
def test_what_expires_before_its_turn(
    crowds: list[tuple[int, int | None, int]], per_minute: int, expected: tuple[float, int]
) -> None:
    found = forecast_backlog(Backlog([DueGroup(*crowd) for crowd in crowds]), per_minute)
    assert found == BacklogForecast(timedelta(minutes=expected[0]), expected[1])


@given(st.integers(0, 5_000), COUNTS, st.integers(1, 500), st.integers(0, 30))
def test_no_more_expires_than_there_is_and_what_goes_is_no_more_than_the_rate(
    due: int, coming: list[int], per_minute: int, lives: int
) -> None:
    found = forecast_backlog(backlog(due, coming, lives), per_minute)
    most = per_minute * (len(coming) + lives + 1)
    assert max(0, due + sum(coming) - most) <= found.expiring <= due + sum(coming)
    assert found.clears_in <= forecast_backlog(backlog(due, coming), per_minute).clears_in


def test_what_comes_soon_is_counted() -> None:
    found = backlog(3, (1, 0, 2))
    assert (found.due_now, found.due_soon) == (3, 3)
