"""Lists and opt-outs: the effect of each event, and that the order of arrival does not matter."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.people.consent import (
    ConsentEvent,
    ConsentHistory,
    ConsentStatus,
    OptOut,
    SubscribeEvent,
    UnsubscribeEvent,
    apply_opt_out,
    apply_resubscribe,
    withdrawal_time,
)
from missedd.core.reasons import Reason
from tests.core.campaigns import NOON, minutes


def joining(at: float, call_id: int = 1) -> SubscribeEvent:
    return SubscribeEvent(NOON + minutes(at), call_id)


def leaving(at: float, call_id: int | None = 100) -> UnsubscribeEvent:
    return UnsubscribeEvent(NOON + minutes(at), "missed-call" if call_id else "api", call_id)


def heard(*wishes: ConsentEvent) -> tuple[ConsentHistory, list[Reason]]:
    ledger = ConsentHistory()
    reasons = [
        ledger.add_subscribe(each) if isinstance(each, SubscribeEvent) else ledger.add_unsubscribe(each)
        for each in wishes
    ]
    return ledger, reasons


@pytest.mark.parametrize(
    ("wishes", "reasons", "is_in_force"),
    [
        ([joining(0)], ["subscribed"], True),
        ([joining(0), joining(5, 2)], ["subscribed", "already-subscribed"], True),
        ([joining(5), joining(0, 2)], ["subscribed", "already-subscribed"], True),
        ([leaving(0)], ["not-subscribed"], False),
        ([joining(0), leaving(5)], ["subscribed", "unsubscribed"], False),
        ([joining(0), leaving(5), leaving(6, 101)], ["subscribed", "unsubscribed", "not-subscribed"], False),
        ([leaving(5), joining(0)], ["not-subscribed", "withdrawn-since"], False),
        ([joining(5), leaving(0)], ["subscribed", "subscribed-since"], True),
        (
            [joining(0), joining(9, 2), leaving(5)],
            ["subscribed", "already-subscribed", "subscribed-since"],
            True,
        ),
        ([joining(0), leaving(5), joining(9, 2)], ["subscribed", "unsubscribed", "subscribed"], True),
        ([joining(0), leaving(9), leaving(5, 101)], ["subscribed", "unsubscribed", "unsubscribed"], False),
        ([joining(0), leaving(0)], ["subscribed", "unsubscribed"], False),
        ([leaving(0), joining(0)], ["not-subscribed", "withdrawn-since"], False),
    ],
)
def test_what_comes_of_each_word(wishes: list[ConsentEvent], reasons: list[str], is_in_force: bool) -> None:
    ledger, found = heard(*wishes)
    assert found == reasons
    assert ledger.is_subscribed is is_in_force


def test_a_consent_ends_with_the_first_word_after_it_and_a_repeat_is_none_of_its_own() -> None:
    first, repeat, again = joining(0, 1), joining(1, 2), joining(9, 3)
    left, in_vain = leaving(5, 100), leaving(6, 101)
    wishes: list[ConsentEvent] = [first, repeat, left, in_vain, again]
    for order in permutations(wishes):
        consents = heard(*order)[0].consents()
        assert [(each.subscribed_by, each.status, each.withdrawal) for each in consents] == [
            (first, ConsentStatus.WITHDRAWN, left),
            (repeat, ConsentStatus.REPEATED, None),
            (again, ConsentStatus.IN_FORCE, None),
        ]


WISHES = st.lists(
    st.tuples(st.integers(0, 8), st.booleans()),
    max_size=8,
).map(
    lambda said: [
        joining(at, index + 1) if joins else leaving(at, index + 101)
        for index, (at, joins) in enumerate(said)
    ]
)


@given(WISHES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(wishes: list[ConsentEvent], rng: object) -> None:
    shuffled = list(wishes)
    rng.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis calls its own Random an object
    one, other = heard(*wishes)[0], heard(*shuffled)[0]
    assert one.consents() == other.consents()
    assert one.is_subscribed is other.is_subscribed


@given(WISHES)
def test_one_consent_at_a_time_and_each_ends_after_it_began(wishes: list[ConsentEvent]) -> None:
    ledger = heard(*wishes)[0]
    consents = [each for each in ledger.consents() if each.status is not ConsentStatus.REPEATED]
    assert sum(each.status is ConsentStatus.IN_FORCE for each in consents) == ledger.is_subscribed
    for each, following in pairwise(consents):
        assert each.withdrawal is not None
        assert each.subscribed_by.at <= each.withdrawal.at <= following.subscribed_by.at
    assert len(ledger.consents()) == sum(isinstance(each, SubscribeEvent) for each in wishes)


def test_an_operators_word_takes_effect_though_the_call_lies_a_little_ahead() -> None:
    ledger = heard(joining(1))[0]
    at = withdrawal_time(NOON, ledger)
    assert ledger.add_unsubscribe(UnsubscribeEvent(at, "api")) is Reason.UNSUBSCRIBED
    assert not ledger.is_subscribed
    assert withdrawal_time(NOON, ConsentHistory()) == NOON


def asked(at: float, call_id: int = 1, lasts: timedelta | None = None) -> OptOut:
    called_at = NOON + minutes(at)
    return OptOut(NOON, called_at, None if lasts is None else called_at + lasts, call_id)


def test_a_further_opting_out_prolongs_and_its_confirmation_stays_the_firsts() -> None:
    first = apply_opt_out(None, asked(0, 1, minutes(60)), None, NOON)
    assert first == asked(0, 1, minutes(60))
    longer = apply_opt_out(first, asked(5, 2, minutes(60)), None, NOON)
    assert longer == OptOut(NOON, NOON + minutes(5), NOON + minutes(65), 1)
    assert apply_opt_out(longer, asked(1, 3, minutes(10)), None, NOON) == longer, "it is never shortened"
    for_ever = apply_opt_out(longer, asked(6, 4), None, NOON)
    assert for_ever is not None
    assert for_ever.until is None
    assert apply_opt_out(for_ever, asked(7, 5, minutes(1)), None, NOON) is not None


def test_one_whose_time_is_over_or_that_was_taken_back_since_changes_nothing() -> None:
    assert apply_opt_out(None, asked(-60, 1, minutes(60)), None, NOON) is None
    assert apply_opt_out(None, asked(0), NOON + minutes(1), NOON) is None
    assert apply_opt_out(None, asked(0), NOON, NOON) == asked(0), "at the same instant, leaving comes last"


@pytest.mark.parametrize(("joined", "stands"), [(-1, True), (0, True), (0.01, False)])
def test_who_joins_after_opting_out_wants_to_be_contacted(joined: float, stands: bool) -> None:
    assert (apply_resubscribe(asked(0), NOON + minutes(joined)) is not None) is stands
    assert apply_resubscribe(None, NOON) is None


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=6), st.randoms(use_true_random=False))
def test_whether_a_number_is_barred_does_not_depend_on_the_order_of_arrival(
    said: list[tuple[int, bool]], rng: object
) -> None:
    def stands(order: list[tuple[int, bool]]) -> bool:
        standing, joined_at = None, None
        for at, opts_out in order:
            if opts_out:
                standing = apply_opt_out(standing, asked(at), joined_at, NOON)
            else:
                joined_at = max(joined_at or NOON, NOON + minutes(at))
                standing = apply_resubscribe(standing, NOON + minutes(at))
        return standing is not None

    shuffled = list(said)
    rng.shuffle(shuffled)  # type: ignore[attr-defined] # likewise
    latest = max(said, default=(0, False))
    assert stands(said) is stands(shuffled) is latest[1]
