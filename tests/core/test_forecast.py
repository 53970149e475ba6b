"""When a backlog will be gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.forecast import MINUTE, Backlog, gone_in

COUNTS = st.lists(st.integers(0, 400), max_size=70)


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
def test_it_is_gone(due: int, coming: tuple[int, ...], per_minute: int, minutes: float) -> None:
    assert gone_in(Backlog(due, coming), per_minute) == timedelta(minutes=minutes)


@given(st.integers(0, 5_000), COUNTS, st.integers(1, 500))
def test_so_much_goes_out_until_then(due: int, coming: list[int], per_minute: int) -> None:
    """All that is due by then has gone at the rate, and one more in front makes it no earlier."""
    lasts = gone_in(Backlog(due, coming), per_minute)
    if due == 0:
        assert lasts == timedelta(0)
        return
    minute = -(-lasts // MINUTE)
    arrived = due + sum(coming[:minute])
    assert lasts / MINUTE * per_minute == pytest.approx(arrived, abs=1e-3)
    assert gone_in(Backlog(due + 1, coming), per_minute) > lasts


def test_what_comes_soon_is_counted() -> None:
    assert Backlog(3, (1, 0, 2)).soon == 3
