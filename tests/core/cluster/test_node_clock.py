"""A node's clock against the database's: the measurement, its error, and whose clock is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.cluster.node_clock import ClockSkew, WrongClock, measure_skew, wrong_clock


@given(
    ahead_s=st.floats(-30, 30),
    to_database_s=st.floats(0, 5),
    back_s=st.floats(0, 5),
    at_s=st.integers(0, 10**6),
)
def test_the_true_difference_is_within_the_error(
    ahead_s: float, to_database_s: float, back_s: float, at_s: int
) -> None:
    asked_us = at_s * 1_000_000
    database_us = asked_us + round((to_database_s - ahead_s) * 1e6)
    skew = measure_skew(asked_us, to_database_s + back_s, database_us)
    assert abs(skew.ahead_s - ahead_s) <= skew.error_s + 1e-5
    assert skew.at_least_s <= abs(ahead_s) + 1e-5


@pytest.mark.parametrize(
    ("ahead_s", "error_s", "warns", "forbids"),
    [
        (0.49, 0.0, False, False),
        (0.5, 0.0, True, False),
        (-0.5, 0.0, True, False),
        (1.99, 0.0, True, False),
        (2.0, 0.0, True, True),
        (-2.0, 0.0, True, True),
        # A database that answers after 4 s tells nothing about a clock.
        (2.1, 2.0, False, False),
        (2.6, 2.0, True, False),
    ],
)
def test_a_clock_is_warned_about_at_half_a_second_and_leads_not_at_two(
    ahead_s: float, error_s: float, warns: bool, forbids: bool
) -> None:
    skew = ClockSkew(ahead_s, error_s)
    assert (skew.is_worth_a_warning, skew.forbids_leading) == (warns, forbids)


@pytest.mark.parametrize(
    ("ahead_s", "wrong"),
    [
        ({1: 3.0}, WrongClock.NODE),
        ({1: 3.0, 2: 0.0}, WrongClock.NODE),
        ({1: 3.0, 2: 0.0, 3: 0.1}, WrongClock.NODE),
        ({1: 3.0, 2: 3.1}, WrongClock.DATABASE),
        ({1: 3.0, 2: 3.1, 3: 2.9}, WrongClock.DATABASE),
        ({1: 3.0, 2: 3.1, 3: 0.0}, WrongClock.DATABASE),
        ({1: -3.0, 2: -3.1, 3: 5.0}, WrongClock.DATABASE),
        ({1: 3.0, 2: 3.1, 3: 0.0, 4: 0.1}, WrongClock.NODE),
        ({1: 9.0, 2: 3.1, 3: 3.0, 4: 3.1}, WrongClock.NODE),
        ({}, WrongClock.NODE),
    ],
)
def test_most_nodes_against_the_database_blame_the_database(
    ahead_s: dict[int, float], wrong: WrongClock
) -> None:
    assert wrong_clock(1, ahead_s) is wrong
