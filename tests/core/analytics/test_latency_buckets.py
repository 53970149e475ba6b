"""Latency buckets: narrow, and the same in the database as here."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from missedd.core.analytics.latency_buckets import LAST_BUCKET, bucket_of, percentile


@given(st.floats(0, LAST_BUCKET / 10 - 1))
def test_a_bucket_begins_at_or_below_what_is_in_it_and_is_narrow(seconds: float) -> None:
    bucket = bucket_of(seconds)
    assert bucket <= seconds * 10
    assert bucket_of(bucket / 10 + 1e-9) == bucket
    assert seconds * 10 - bucket < max(1, bucket / 32)


def test_what_is_out_of_bounds_is_in_the_first_and_in_the_last() -> None:
    assert bucket_of(-1) == 0
    assert bucket_of(1e9) == bucket_of(LAST_BUCKET / 10) == LAST_BUCKET


@given(st.lists(st.floats(0, 100_000), min_size=1), st.sampled_from((1, 50, 95, 99, 100)))
def test_a_percentile_is_the_nearest_rank_within_two_percent(seconds: list[float], percent: int) -> None:
    exact = sorted(seconds)[math.ceil(len(seconds) * percent / 100) - 1]
    found = percentile(Counter(map(bucket_of, seconds)), percent)
    assert found is not None
    assert abs(found - exact) <= 0.02 * exact + 0.1


def test_of_nothing_there_is_none() -> None:
    assert percentile({}, 50) is None
    assert percentile({300: 0}, 50) is None


def test_the_usual_delay_is_told_as_it_is() -> None:
    assert percentile({bucket_of(30.0): 9}, 50) == 30.0
