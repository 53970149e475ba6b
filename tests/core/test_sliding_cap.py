"""The sliding cap holds in every window of an hour."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.sliding_cap import CAP_WINDOW, is_under_cap

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def minutes(*offsets: float) -> tuple[datetime, ...]:
    return tuple(NOON + timedelta(minutes=each) for each in offsets)


@pytest.mark.parametrize(
    ("others", "limit", "expected"),
    [
        ((), 1, True),
        ((-1,), 1, False),
        ((-60,), 1, True),
        ((-59.99,), 1, False),
        ((-50, -10), 2, False),
        ((-50, 50), 2, True),
        ((-10, 10), 2, False),
        ((30,), 1, False),
        ((60,), 1, True),
        ((-70, -65, 70), 1, True),
    ],
)
def test_an_hour_ago_is_forgotten_and_what_lies_ahead_counts(
    others: tuple[float, ...], limit: int, expected: bool
) -> None:
    assert is_under_cap(minutes(*others), NOON, limit) is expected


@given(st.lists(st.integers(0, 6 * 60), max_size=40), st.integers(1, 4))
def test_whatever_the_order_no_window_is_ever_overfull(offsets: list[int], limit: int) -> None:
    placed: list[datetime] = []
    for offset in offsets:
        at = NOON + timedelta(minutes=offset)
        if is_under_cap(placed, at, limit):
            placed.append(at)
    for start in placed:
        assert sum(start <= each < start + CAP_WINDOW for each in placed) <= limit
