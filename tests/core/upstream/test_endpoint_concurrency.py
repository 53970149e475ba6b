"""Who hangs gets little, who answers always has some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.upstream.endpoint_concurrency import HALF, PLACES, QUARTER, Share, Standing, free_places

UNTRIED, ANSWERS, HANGS = Standing.UNTRIED, Standing.ANSWERS, Standing.HANGS


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
def test_the_places_that_are_free(standing: Standing, own: int, out: int, to_hanging: int, free: int) -> None:
    assert free_places(Share(standing, own), out, to_hanging) == free


@given(st.lists(st.tuples(st.sampled_from(Standing), st.integers(0, PLACES)), min_size=1, max_size=12))
def test_no_crowd_takes_what_is_another_s(crowd: list[tuple[Standing, int]]) -> None:
    shares = [Share(standing, out) for standing, out in crowd]
    out = sum(share.out for share in shares)
    to_hanging = sum(share.out for share in shares if share.standing is HANGS)
    for share in shares:
        free = free_places(share, out, to_hanging)
        assert free >= 0
        if share.standing is HANGS:
            assert share.out + free <= max(QUARTER, share.out)
            assert to_hanging + free <= max(HALF, to_hanging)
        else:
            assert share.out + free >= QUARTER


@pytest.mark.parametrize("standing", Standing)
def test_the_only_one_has_them_all(standing: Standing) -> None:
    assert free_places(Share(standing, 5), 5, 5, is_only=True) == PLACES - 5
    assert free_places(Share(standing, PLACES), PLACES, PLACES, is_only=True) == 0
