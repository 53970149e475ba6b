"""An application that hangs gets few slots; an application that responds always gets some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.upstream.endpoint_concurrency import (
    MAX_REQUESTS,
    MAX_TO_HANGING,
    RESERVED_PER_ENDPOINT,
    EndpointHealth,
    EndpointLoad,
    free_slots,
)

UNTRIED, ANSWERS, HANGS = EndpointHealth.UNTRIED, EndpointHealth.RESPONSIVE, EndpointHealth.HANGING


@pytest.mark.parametrize(
    ("standing", "own", "out", "to_hanging", "free"),
    [
        (UNTRIED, 0, 0, 0, 4),
        (UNTRIED, 4, 4, 0, 0),
        (UNTRIED, 0, 16, 8, 4),
        (ANSWERS, 0, 0, 0, 16),
        (ANSWERS, 6, 10, 4, 6),
        (ANSWERS, 16, 16, 0, 0),
        (ANSWERS, 1, 16, 8, 3),
        (HANGS, 0, 0, 0, 4),
        (HANGS, 4, 4, 4, 0),
        (HANGS, 16, 16, 16, 0),
        (HANGS, 0, 6, 6, 2),
        (HANGS, 0, 8, 8, 0),
        (HANGS, 1, 40, 7, 1),
    ],
)
def test_the_places_that_are_free(
    standing: EndpointHealth, own: int, out: int, to_hanging: int, free: int
) -> None:
    assert free_slots(EndpointLoad(standing, own), out, to_hanging) == free


@given(
    st.lists(
        st.tuples(st.sampled_from(EndpointHealth), st.integers(0, MAX_REQUESTS)), min_size=1, max_size=12
    )
)
def test_no_crowd_takes_what_is_another_s(crowd: list[tuple[EndpointHealth, int]]) -> None:
    shares = [EndpointLoad(standing, out) for standing, out in crowd]
    out = sum(share.in_flight for share in shares)
    to_hanging = sum(share.in_flight for share in shares if share.health is HANGS)
    for share in shares:
        free = free_slots(share, out, to_hanging)
        assert free >= 0
        if share.health is HANGS:
            assert share.in_flight + free <= max(RESERVED_PER_ENDPOINT, share.in_flight)
            assert to_hanging + free <= max(MAX_TO_HANGING, to_hanging)
        else:
            assert share.in_flight + free >= RESERVED_PER_ENDPOINT


@pytest.mark.parametrize("standing", EndpointHealth)
def test_the_only_one_has_them_all(standing: EndpointHealth) -> None:
    assert free_slots(EndpointLoad(standing, 5), 5, 5, is_only=True) == MAX_REQUESTS - 5
    assert free_slots(EndpointLoad(standing, MAX_REQUESTS), MAX_REQUESTS, MAX_REQUESTS, is_only=True) == 0
