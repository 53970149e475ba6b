"""When an operator may enter the outcome of an action: every kind, state and outcome."""

from __future__ import annotations

from itertools import product

import pytest

from missedd.core.actions.resolution import (
    RESOLUTION_OUTCOMES,
    RESOLVABLE_OUTCOMES,
    Resolution,
    check_resolution,
)
from missedd.core.model import Kind, Outcome, State


@pytest.mark.parametrize("kind", Kind)
def test_only_what_is_unknown_may_be_settled_and_only_as_its_kind_can_end(kind: Kind) -> None:
    for outcome, wanted in product(Outcome, Outcome):
        found = check_resolution(kind, State.DONE, outcome, None, wanted, is_lost=True)
        if outcome is not Outcome.UNKNOWN:
            assert found is Resolution.NOT_UNKNOWN
        elif wanted in RESOLVABLE_OUTCOMES.get(kind, ()):
            assert found is Resolution.SETTLED
        else:
            assert found is Resolution.WRONG_OUTCOME


@pytest.mark.parametrize("state", [each for each in State if each is not State.DONE])
@pytest.mark.parametrize("is_lost", [True, False])
def test_of_those_without_an_outcome_only_one_that_is_looked_for(state: State, is_lost: bool) -> None:
    found = check_resolution(Kind.CALLBACK, state, None, None, Outcome.BUSY, is_lost=is_lost)
    may = state is State.ATTEMPTING and is_lost
    assert found is (Resolution.SETTLED if may else Resolution.NOT_UNKNOWN)


def test_an_unknown_outcome_is_resolved_once() -> None:
    def again(wanted: Outcome) -> Resolution:
        return check_resolution(
            Kind.SMS, State.DONE, Outcome.UNKNOWN, Outcome.DELIVERED, wanted, is_lost=True
        )

    assert again(Outcome.DELIVERED) is Resolution.UNCHANGED
    assert again(Outcome.FAILED) is Resolution.SETTLED_OTHERWISE


def test_unknown_itself_settles_nothing() -> None:
    assert Outcome.UNKNOWN not in RESOLUTION_OUTCOMES
