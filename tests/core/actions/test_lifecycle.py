"""The lifecycle table: every pair is a transition, an ignored one, or a mistake that raises."""

from itertools import product

import pytest

from missedd.core.actions.lifecycle import IGNORED, TABLE, IllegalStep, Step, diagram, step
from missedd.core.model import State


@pytest.mark.parametrize(("state", "event"), list(product(State, Step)))
def test_each_pair_is_decided_once(state: State, event: Step) -> None:
    pair = (state, event)
    assert not (pair in TABLE and pair in IGNORED)
    if pair in TABLE:
        assert step(state, event) is TABLE[pair]
    elif pair in IGNORED:
        assert step(state, event) is None
    else:
        with pytest.raises(IllegalStep, match=f"{event} cannot follow {state}"):
            step(state, event)


def test_nothing_follows_done() -> None:
    assert not [pair for pair in TABLE if pair[0] is State.DONE]


def test_every_state_can_reach_done() -> None:
    reached = {State.DONE}
    for _ in State:
        reached |= {state for (state, _), follows in TABLE.items() if follows in reached}
    assert reached == set(State)


def test_a_request_goes_out_only_through_a_claim() -> None:
    assert {
        event
        for (state, event), follows in TABLE.items()
        if follows is State.ATTEMPTING and state is not State.ATTEMPTING
    } == {Step.CLAIM}


def test_the_diagram_is_drawn_from_the_table() -> None:
    drawn = diagram()
    assert drawn.startswith("stateDiagram-v2")
    assert all(f"{state} --> {follows}: {event}" in drawn for (state, event), follows in TABLE.items())
