"""The lifecycle table: every pair is a transition, an ignored event, or a bug that raises."""

from itertools import product

import pytest

from missedd.core.actions.lifecycle import (
    ACTION_TRANSITIONS,
    IGNORED_EVENTS,
    ActionEvent,
    IllegalTransition,
    mermaid_diagram,
    step,
)
from missedd.core.model import State


@pytest.mark.parametrize(("state", "event"), list(product(State, ActionEvent)))
def test_each_pair_is_decided_once(state: State, event: ActionEvent) -> None:
    pair = (state, event)
    assert not (pair in ACTION_TRANSITIONS and pair in IGNORED_EVENTS)
    if pair in ACTION_TRANSITIONS:
        assert step(state, event) is ACTION_TRANSITIONS[pair]
    elif pair in IGNORED_EVENTS:
        assert step(state, event) is None
    else:
        with pytest.raises(IllegalTransition, match=f"{event} cannot follow {state}"):
            step(state, event)


def test_nothing_follows_done() -> None:
    assert not [pair for pair in ACTION_TRANSITIONS if pair[0] is State.DONE]


def test_every_state_can_reach_done() -> None:
    reached = {State.DONE}
    for _ in State:
        reached |= {state for (state, _), follows in ACTION_TRANSITIONS.items() if follows in reached}
    assert reached == set(State)


def test_a_request_goes_out_only_through_a_claim() -> None:
    assert {
        event
        for (state, event), follows in ACTION_TRANSITIONS.items()
        if follows is State.ATTEMPTING and state is not State.ATTEMPTING
    } == {ActionEvent.CLAIM}


def test_the_diagram_is_drawn_from_the_table() -> None:
    drawn = mermaid_diagram()
    assert drawn.startswith("stateDiagram-v2")
    assert all(
        f"{state} --> {follows}: {event}" in drawn for (state, event), follows in ACTION_TRANSITIONS.items()
    )
