"""What a missed call leads to: the first rule that applies is the verdict, and the plan says what is owed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from missedd.core.admission.caller_history import CallerHistory, KnownCall, history_lookback
from missedd.core.model import InboundCall, Kind, Outcome, State, Verdict
from missedd.core.people.consent import OptOut
from missedd.core.reasons import ANSWERED_REASONS, Reason
from tests.core.admission.decisions import SENT, decided, kinds, only
from tests.core.campaigns import (
    EXOPHONE,
    NOON,
    SECOND_EXOPHONE,
    STRANGE,
    call,
    campaign,
    everything,
    minutes,
    policy,
)

RECORDED = (Kind.LEAD, Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY)


# First every rule applies; then the first rules are removed, one at a time.
EVERY_REASON: dict[str, Any] = {
    "seen": KnownCall(Verdict.ACCEPTED, Reason.FIRST_CALL),
    "not_missed": Reason.OUTBOUND_LEG,
    "dialled": (STRANGE,),
    "caller": None,
    "is_own": True,
    "is_suppressed": True,
    "is_repeat": True,
}
LADDER = [
    ((), Verdict.REDELIVERED, Reason.ALREADY_SEEN),
    (("seen",), Verdict.NOT_MISSED, Reason.OUTBOUND_LEG),
    (("seen", "not_missed"), Verdict.UNKNOWN_EXOPHONE, Reason.NO_SUCH_EXOPHONE),
    (("seen", "not_missed", "dialled"), Verdict.NO_CALLER_ID, Reason.WITHHELD_NUMBER),
    (("seen", "not_missed", "dialled", "caller"), Verdict.OWN_NUMBER, Reason.OWN_NUMBER),
    (("seen", "not_missed", "dialled", "caller", "is_own"), Verdict.SUPPRESSED, Reason.CALLER_SUPPRESSED),
    (
        ("seen", "not_missed", "dialled", "caller", "is_own", "is_suppressed"),
        Verdict.DUPLICATE,
        Reason.WITHIN_DEDUP_WINDOW,
    ),
    (tuple(EVERY_REASON), Verdict.ACCEPTED, Reason.FIRST_CALL),
]


@pytest.mark.parametrize(("without", "verdict", "reason"), LADDER)
def test_the_first_rule_that_applies_is_the_verdict(
    without: tuple[str, ...], verdict: Verdict, reason: Reason
) -> None:
    facts = {name: value for name, value in EVERY_REASON.items() if name not in without}
    history = CallerHistory(is_suppressed="is_suppressed" in facts)
    if "is_repeat" in facts:
        history.accepted.append(("admissions", NOON - minutes(1)))
    details = {name: facts[name] for name in ("not_missed", "dialled", "caller") if name in facts}
    if "is_own" in facts:
        details.setdefault("caller", EXOPHONE)
    admission = decided(
        call(**details), seen=EVERY_REASON["seen"] if "seen" in facts else None, history=history
    )
    assert (admission.verdict, admission.reason) == (verdict, reason)


@pytest.mark.parametrize("caller", [EXOPHONE, SECOND_EXOPHONE])
def test_no_exophone_of_the_configuration_is_a_person(caller: str) -> None:
    campaigns = everything(), campaign(name="desk", exophones=(SECOND_EXOPHONE,))
    admission = decided(call(caller=caller), *campaigns)
    assert (admission.verdict, admission.actions) == (Verdict.OWN_NUMBER, ())
    history = CallerHistory()
    history.record_accepted(admission)
    assert history == CallerHistory()
    assert decided(call(caller=caller), campaigns[0]).verdict is (
        Verdict.OWN_NUMBER if caller == EXOPHONE else Verdict.ACCEPTED
    )


DECIDED = [each for each in Verdict if each is not Verdict.NOT_MISSED]
INTERIM = (Reason.AGENT_EVENT, Reason.STILL_IN_PROGRESS, Reason.OTHER_PRODUCT, Reason.OUTBOUND_LEG)
NOTHING_NEW = (Verdict.REDELIVERED, Reason.ALREADY_SEEN)


def again(seen: KnownCall, not_missed: Reason | None) -> tuple[Verdict, Reason]:
    admission = decided(call(not_missed=not_missed), seen=seen)
    assert bool(admission.actions) == (admission.verdict is Verdict.ACCEPTED)
    return admission.verdict, admission.reason


@pytest.mark.parametrize("before", DECIDED)
@pytest.mark.parametrize("not_missed", [None, *INTERIM])
def test_whatever_was_decided_stays_decided(before: Verdict, not_missed: Reason | None) -> None:
    assert again(KnownCall(before, "first-call"), not_missed) == NOTHING_NEW


@pytest.mark.parametrize("proof", ANSWERED_REASONS)
@pytest.mark.parametrize("not_missed", [None, *INTERIM, *ANSWERED_REASONS])
def test_a_proof_that_somebody_took_it_is_final(proof: Reason, not_missed: Reason | None) -> None:
    assert again(KnownCall(Verdict.NOT_MISSED, proof), not_missed) == NOTHING_NEW
    assert again(KnownCall(Verdict.ACCEPTED, "first-call", was_answered=True), not_missed) == NOTHING_NEW


@pytest.mark.parametrize("before", DECIDED)
@pytest.mark.parametrize("proof", ANSWERED_REASONS)
def test_a_proof_holds_against_whatever_was_decided(before: Verdict, proof: Reason) -> None:
    erased = before is Verdict.REDELIVERED
    assert again(KnownCall(before, "first-call"), proof) == (
        NOTHING_NEW if erased else (Verdict.NOT_MISSED, proof)
    )


@pytest.mark.parametrize("before", INTERIM)
def test_what_is_said_of_a_call_that_goes_on_claims_nothing(before: Reason) -> None:
    seen = KnownCall(Verdict.NOT_MISSED, before)
    assert again(seen, None) == (Verdict.ACCEPTED, Reason.FIRST_CALL)
    assert again(seen, Reason.CONVERSATION) == (Verdict.NOT_MISSED, Reason.CONVERSATION)
    assert again(seen, Reason.VOICEMAIL) == (Verdict.NOT_MISSED, Reason.VOICEMAIL)
    assert again(seen, Reason.AGENT_EVENT) == NOTHING_NEW


ALL_KINDS = {*RECORDED, *SENT}


@pytest.mark.parametrize(
    ("history", "inbound", "kept"),
    [
        (CallerHistory(), call(), ALL_KINDS),
        (
            CallerHistory(accepted=[("admissions", NOON - minutes(1))]),
            call(),
            {Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY},
        ),
        (CallerHistory(is_suppressed=True), call(), {Kind.VOTE, Kind.UNSUBSCRIBE, Kind.VERIFY}),
        (
            CallerHistory(opt_out=OptOut(NOON, NOON, None, 1)),
            call(),
            {Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY},
        ),
        (CallerHistory(), call(caller=None), set()),
        (CallerHistory(), call(dialled=(STRANGE,)), set()),
        (CallerHistory(), call(dialled=()), set()),
        (CallerHistory(), call(not_missed=Reason.VOICEMAIL), set()),
    ],
)
def test_each_verdict_keeps_what_it_may(
    history: CallerHistory, inbound: InboundCall, kept: set[Kind]
) -> None:
    admission = decided(inbound, history=history)
    assert set(kinds(admission)) == kept
    assert list(kinds(admission)) == sorted(kinds(admission), key=list(Kind).index)
    for each in admission.actions:
        if each.kind in RECORDED:
            assert (each.state, each.outcome) == (State.DONE, Outcome.RECORDED)
            assert each.due_at == each.base_at == admission.called_at


def test_a_table_that_is_absent_is_a_thing_not_done() -> None:
    admission = decided(call(), campaign())
    assert (admission.verdict, admission.actions) == (Verdict.ACCEPTED, ())


def test_what_is_recorded_says_for_whom() -> None:
    admission = decided(call())
    assert only(admission, Kind.VOTE).details == {"poll": "singer", "option": "Asha"}
    assert only(admission, Kind.SUBSCRIBE).details == {"list": "weather", "purpose": "daily alerts"}
    assert only(admission, Kind.UNSUBSCRIBE).details == {"list": "news"}
    assert only(admission, Kind.LEAD).details == {"source": "missed_call"}


def test_the_first_known_number_among_those_dialled_names_the_campaign() -> None:
    second = campaign(name="second", exophones=(SECOND_EXOPHONE,))
    admission = decided(call(dialled=(STRANGE, SECOND_EXOPHONE, EXOPHONE)), everything(), second)
    assert (admission.campaign, admission.exophone) == ("second", SECOND_EXOPHONE)
    unknown = decided(call(dialled=(STRANGE, "+918047129998")))
    assert (unknown.campaign, unknown.exophone) == (None, STRANGE)


def test_a_history_remembers_accepted_calls_only() -> None:
    history = CallerHistory()
    history.record_accepted(decided(call(), history=CallerHistory(is_suppressed=True)))
    history.record_accepted(decided(call(dialled=(STRANGE,))))
    assert history == CallerHistory()
    history.record_accepted(decided(call()))
    assert history == CallerHistory(accepted=[("admissions", NOON)])


def test_a_history_reaches_as_far_as_the_longest_window() -> None:
    assert history_lookback(policy(campaign())) == timedelta(hours=1)
    assert history_lookback(policy(campaign(), campaign(dedup_window=timedelta(days=2)))) == timedelta(days=2)
    assert history_lookback(policy()) == timedelta(hours=1)
