"""Arrivals: as many as the rate says, where it says so, and the same for the same seed."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import mean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.schedule import Arrivals, Burst, arrival_times, rate_segments


def planned(arrivals: Arrivals, *, seed: int = 1, **how: object) -> list[float]:
    return list(arrival_times(rate_segments(**how), arrivals, Random(seed)))  # type: ignore[arg-type]


def test_equal_gaps_are_equal_and_as_many_as_the_rate_says() -> None:
    found = planned(Arrivals.CONSTANT, rate=100, for_s=2)
    assert len(found) == 200
    assert {round(b - a, 9) for a, b in pairwise(found)} == {0.01}


def test_poisson_gaps_are_exponential() -> None:
    found = planned(Arrivals.POISSON, rate=1000, for_s=20)
    gaps = [b - a for a, b in pairwise(found)]
    assert mean(gaps) == pytest.approx(0.001, rel=0.03)
    # The mark of an exponential: it scatters by its own mean.
    assert pstdev(gaps) == pytest.approx(0.001, rel=0.05)


def test_the_seed_decides() -> None:
    first = planned(Arrivals.POISSON, rate=50, for_s=2)
    assert first == planned(Arrivals.POISSON, rate=50, for_s=2)
    assert first != planned(Arrivals.POISSON, rate=50, for_s=2, seed=2)


def test_a_ramp_rises_in_a_line() -> None:
    found = planned(Arrivals.CONSTANT, rate=100, for_s=20, ramp_s=10)
    by_half = [sum(start <= each < start + 5 for each in found) for start in (0, 5, 10, 15)]
    assert by_half == [pytest.approx(n, abs=1) for n in (125, 375, 500, 500)]


def test_a_burst_is_on_top_where_it_is_put() -> None:
    bursts = [Burst(2500, 2), Burst(10, 1, at_s=5)]
    found = planned(Arrivals.CONSTANT, rate=100, for_s=8, bursts=bursts)
    by_second = [sum(start <= each < start + 1 for each in found) for start in range(8)]
    assert by_second == [pytest.approx(n, abs=1) for n in (2500, 2500, 100, 100, 100, 10, 100, 100)]


def test_a_burst_is_cut_at_the_end() -> None:
    assert planned(Arrivals.CONSTANT, rate=10, for_s=1, bursts=[Burst(100, 60)])[-1] < 1


@given(
    rate=st.floats(0.5, 500),
    for_s=st.floats(1, 30),
    ramp_s=st.floats(0, 40),
    bursts=st.lists(
        st.builds(Burst, rate=st.floats(0.1, 900), for_s=st.floats(0.1, 9), at_s=st.floats(0, 40)), max_size=3
    ),
    arrivals=st.sampled_from(Arrivals),
)
def test_whatever_the_shape_arrivals_are_in_order_and_inside(
    rate: float, for_s: float, ramp_s: float, bursts: list[Burst], arrivals: Arrivals
) -> None:
    stretches = rate_segments(rate, for_s, ramp_s, bursts)
    found = list(arrival_times(stretches, arrivals, Random(0)))
    assert found == sorted(found)
    assert all(0 <= each <= for_s + 1e-6 for each in found)
    expected = sum(each.calls for each in stretches)
    if arrivals is Arrivals.CONSTANT:
        assert len(found) == pytest.approx(expected, abs=1)
    else:
        assert abs(len(found) - expected) < 7 * max(1, expected) ** 0.5 + 7
