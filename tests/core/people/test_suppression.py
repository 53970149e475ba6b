"""What a suppression forbids: which SMS and calls it blocks, and which it allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.gates import judge
from missedd.core.admission.judgement import Candidate, Close, Go, Judgement
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.core.explain.number import describe_suppression
from missedd.core.model import Admission, Kind, Outcome, Plan, Verdict
from missedd.core.people.suppression import (
    BLOCKS_CALLS,
    BLOCKS_PROMOTIONAL_SMS,
    BLOCKS_SMS,
    Channel,
    RefusedSmsClass,
    Restriction,
    blocks_calls,
    restriction_duration,
    restriction_from_refusal,
    sms_block_reason,
)
from missedd.core.policy import MessageClass, UnsubscribePolicy
from missedd.core.reasons import Reason
from tests.core.campaigns import CALLER, EXOPHONE, NOON, campaign, everything, minutes, policy, seconds, sms
from tests.core.objects import made

PROMOTIONAL, SERVICE, TRANSACTIONAL = MessageClass
OF_EXAMPL = Restriction(Channel.SMS, RefusedSmsClass.SENDER, "EXAMPL")
ALL_SMS = Restriction(Channel.SMS)


@pytest.mark.parametrize(
    ("bar", "message_class", "sender", "confirms", "expected"),
    [
        (BLOCKS_PROMOTIONAL_SMS, PROMOTIONAL, "600123", False, Reason.REFUSES_SMS),
        (BLOCKS_PROMOTIONAL_SMS, SERVICE, "EXAMPL", False, None),
        (BLOCKS_PROMOTIONAL_SMS, TRANSACTIONAL, "EXAMPL", False, None),
        (BLOCKS_PROMOTIONAL_SMS, PROMOTIONAL, "600123", True, None),
        (OF_EXAMPL, TRANSACTIONAL, "EXAMPL", False, Reason.REFUSES_SMS),
        (OF_EXAMPL, TRANSACTIONAL, "exampl", True, Reason.REFUSES_SMS),
        (OF_EXAMPL, TRANSACTIONAL, "OTHERS", False, None),
        (BLOCKS_SMS, TRANSACTIONAL, "EXAMPL", True, Reason.TAKES_NO_SMS),
        (ALL_SMS, TRANSACTIONAL, "EXAMPL", True, Reason.REFUSES_SMS),
        (BLOCKS_CALLS, PROMOTIONAL, "EXAMPL", False, None),
    ],
)
def test_which_sms_it_bars(
    bar: Restriction, message_class: MessageClass, sender: str, confirms: bool, expected: Reason | None
) -> None:
    assert sms_block_reason([bar], message_class, sender, confirms_opt_out=confirms) is expected
    # A restriction that allows the SMS does not cancel another that blocks it.
    assert sms_block_reason([BLOCKS_CALLS, bar], message_class, sender, confirms_opt_out=confirms) is expected


def test_only_the_register_of_calls_bars_calls() -> None:
    assert blocks_calls([BLOCKS_PROMOTIONAL_SMS, BLOCKS_CALLS])
    assert not blocks_calls([BLOCKS_PROMOTIONAL_SMS, OF_EXAMPL, BLOCKS_SMS, ALL_SMS])


def test_what_a_refusal_teaches_and_how_long_it_is_believed() -> None:
    month = timedelta(days=30)
    assert [(restriction_from_refusal(each, "EXAMPL"), each) for each in RefusedSmsClass] == [
        (BLOCKS_PROMOTIONAL_SMS, RefusedSmsClass.PROMOTIONAL),
        (OF_EXAMPL, RefusedSmsClass.SENDER),
        (BLOCKS_SMS, RefusedSmsClass.TAKES_NO_SMS),
    ]
    assert restriction_from_refusal(RefusedSmsClass.SENDER, None) is None
    assert [
        restriction_duration(each) for each in (BLOCKS_PROMOTIONAL_SMS, OF_EXAMPL, BLOCKS_SMS, BLOCKS_CALLS)
    ] == [None, None, month, month]


def judged(kind: Kind, *bars: Restriction, number: str = CALLER, **changes: Any) -> Judgement:
    candidate = Candidate(
        kind, "admissions", Plan.OPEN, NOON + minutes(15), restrictions=bars, number=number, exophone=EXOPHONE
    )
    return judge(candidate, policy(everything(**changes)), NOON)


def dropped(reason: Reason) -> Close:
    return Close(Outcome.DROPPED, reason)


def test_the_gates_ask_for_the_class_and_the_sender_of_the_text() -> None:
    promotion = sms(message_class=PROMOTIONAL)
    assert judged(Kind.SMS, BLOCKS_PROMOTIONAL_SMS, sms=promotion) == dropped(Reason.REFUSES_SMS)
    assert judged(Kind.SMS, BLOCKS_PROMOTIONAL_SMS) == Go()
    opts_out = UnsubscribePolicy("news", suppress=True)
    assert judged(Kind.SMS, BLOCKS_PROMOTIONAL_SMS, sms=promotion, unsubscribe=opts_out) == Go()
    assert judged(Kind.SMS, OF_EXAMPL) == dropped(Reason.REFUSES_SMS)
    assert judged(Kind.SMS, OF_EXAMPL, sms=sms(sender="OTHERS")) == Go()
    assert judged(Kind.SMS, BLOCKS_SMS) == dropped(Reason.TAKES_NO_SMS)
    assert judged(Kind.SMS, BLOCKS_CALLS) == Go()


def test_the_gates_let_the_register_of_calls_bar_calls_only() -> None:
    assert judged(Kind.CALLBACK, BLOCKS_CALLS) == dropped(Reason.DO_NOT_DISTURB)
    assert judged(Kind.CALLBACK, BLOCKS_PROMOTIONAL_SMS, OF_EXAMPL, BLOCKS_SMS) == Go()
    assert judged(Kind.WEBHOOK, BLOCKS_CALLS, BLOCKS_SMS) == Go()


@pytest.mark.parametrize("landline", ["+912225551234", "+911800123456", "+911401234567"])
def test_a_landline_is_called_and_not_texted(landline: str) -> None:
    assert judged(Kind.SMS, number=landline) == dropped(Reason.TAKES_NO_SMS)
    assert judged(Kind.CALLBACK, number=landline) == Go()


@pytest.mark.parametrize(
    ("verdict", "late_s", "lifts"),
    [
        (Verdict.ACCEPTED, 60.0, True),
        (Verdict.DUPLICATE, 60.0, True),
        (Verdict.SUPPRESSED, 60.0, True),
        (Verdict.ACCEPTED, -0.4, True),  # Exotel's times are whole seconds
        (Verdict.ACCEPTED, -60.0, False),  # delivered late: the call came before the refusal
        (Verdict.REDELIVERED, 60.0, False),
        (Verdict.NOT_MISSED, 60.0, False),
        (Verdict.UNKNOWN_EXOPHONE, 60.0, False),
    ],
)
def test_who_rings_again_may_be_called_again(verdict: Verdict, late_s: float, lifts: bool) -> None:
    refused_at = NOON + seconds(0.4)
    history = CallerHistory(restrictions=(BLOCKS_PROMOTIONAL_SMS, BLOCKS_CALLS), calls_refused_at=refused_at)
    at = refused_at + seconds(late_s)
    assert (
        history.lift_call_refusal(Admission(verdict, Reason.FIRST_CALL, "admissions", EXOPHONE, at)) is lifts
    )
    assert history.restrictions == (
        (BLOCKS_PROMOTIONAL_SMS,) if lifts else (BLOCKS_PROMOTIONAL_SMS, BLOCKS_CALLS)
    )
    assert (history.calls_refused_at is None) is lifts


@pytest.mark.parametrize(
    ("bar", "words"),
    [
        (Restriction(), "This number is not contacted"),
        (BLOCKS_CALLS, "No calls to this number until it calls again"),
        (BLOCKS_PROMOTIONAL_SMS, "No promotional SMS to this number"),
        (OF_EXAMPL, "No SMS from EXAMPL to this number"),
        (BLOCKS_SMS, "This number cannot receive SMS, so none is sent"),
        (ALL_SMS, "No SMS to this number"),
    ],
)
def test_each_says_what_it_bars(bar: Restriction, words: str) -> None:
    shown = made(SuppressionJson, channel=str(bar.channel), class_=bar.sms_class, sender=bar.sender)
    assert describe_suppression(shown) == words


def test_a_campaign_without_sms_has_none_to_bar() -> None:
    assert judge(
        Candidate(Kind.SMS, "admissions", Plan.OPEN, None, restrictions=(BLOCKS_SMS,)),
        policy(campaign()),
        NOON,
    ) == dropped(Reason.NO_LONGER_CONFIGURED)
