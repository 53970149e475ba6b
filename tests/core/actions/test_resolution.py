"""What an operator may say of an action, for every kind, state and outcome there is."""

from __future__ import annotations

from itertools import product

import pytest

from missedd.core.actions.resolution import MAY_BE, SETTLING, Settlement, settlement
from missedd.core.model import Kind, Outcome, State


@pytest.mark.parametrize("kind", Kind)
def test_only_what_is_unknown_may_be_settled_and_only_as_its_kind_can_end(kind: Kind) -> None:
    for outcome, wanted in product(Outcome, Outcome):
        found = settlement(kind, State.DONE, outcome, None, wanted, is_lost=True)
        if outcome is not Outcome.UNKNOWN:
            assert found is Settlement.NOT_UNKNOWN
        elif wanted in MAY_BE.get(kind, ()):
            assert found is Settlement.SETTLED
        else:
            assert found is Settlement.WRONG_OUTCOME


@pytest.mark.parametrize("state", [each for each in State if each is not State.DONE])
@pytest.mark.parametrize("is_lost", [True, False])
def test_of_those_without_an_outcome_only_one_that_is_looked_for(state: State, is_lost: bool) -> None:
    found = settlement(Kind.CALLBACK, state, None, None, Outcome.BUSY, is_lost=is_lost)
    may = state is State.ATTEMPTING and is_lost
    assert found is (Settlement.SETTLED if may else Settlement.NOT_UNKNOWN)


def test_it_is_said_once() -> None:
    def again(wanted: Outcome) -> Settlement:
        return settlement(Kind.SMS, State.DONE, Outcome.UNKNOWN, Outcome.DELIVERED, wanted, is_lost=True)

    assert again(Outcome.DELIVERED) is Settlement.UNCHANGED
    assert again(Outcome.FAILED) is Settlement.SETTLED_OTHERWISE


def test_unknown_itself_settles_nothing() -> None:
    assert Outcome.UNKNOWN not in SETTLING
