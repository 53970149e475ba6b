"""What a suppression is about: which SMS and which calls it bars, and which it lets pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.gates import Candidate, Close, Go, Judgement, judge
from missedd.core.explain.number import barred
from missedd.core.model import Admission, Kind, Outcome, Plan, Verdict
from missedd.core.people.suppression import (
    NO_SMS,
    OUR_CALLS,
    PROMOTIONS,
    Bar,
    Channel,
    Class,
    bars_calls,
    lasts,
    learned,
    refusal_of_sms,
)
from missedd.core.policy import MessageClass, UnsubscribePolicy
from missedd.core.reasons import Reason
from tests.core.campaigns import CALLER, EXOPHONE, NOON, campaign, everything, minutes, policy, seconds, sms

PROMOTIONAL, SERVICE, TRANSACTIONAL = MessageClass
OF_EXAMPL = Bar(Channel.SMS, Class.SENDER, "EXAMPL")
ALL_SMS = Bar(Channel.SMS)


@pytest.mark.parametrize(
    ("bar", "message_class", "sender", "confirms", "expected"),
    [
        (PROMOTIONS, PROMOTIONAL, "600123", False, Reason.REFUSES_SMS),
        (PROMOTIONS, SERVICE, "EXAMPL", False, None),
        (PROMOTIONS, TRANSACTIONAL, "EXAMPL", False, None),
        (PROMOTIONS, PROMOTIONAL, "600123", True, None),
        (OF_EXAMPL, TRANSACTIONAL, "EXAMPL", False, Reason.REFUSES_SMS),
        (OF_EXAMPL, TRANSACTIONAL, "exampl", True, Reason.REFUSES_SMS),
        (OF_EXAMPL, TRANSACTIONAL, "OTHERS", False, None),
        (NO_SMS, TRANSACTIONAL, "EXAMPL", True, Reason.TAKES_NO_SMS),
        (ALL_SMS, TRANSACTIONAL, "EXAMPL", True, Reason.REFUSES_SMS),
        (OUR_CALLS, PROMOTIONAL, "EXAMPL", False, None),
    ],
)
def test_which_sms_it_bars(
    bar: Bar, message_class: MessageClass, sender: str, confirms: bool, expected: Reason | None
) -> None:
    assert refusal_of_sms([bar], message_class, sender, confirms=confirms) is expected
    # One that lets it pass does not shelter it from another.
    assert refusal_of_sms([OUR_CALLS, bar], message_class, sender, confirms=confirms) is expected


def test_only_the_register_of_calls_bars_calls() -> None:
    assert bars_calls([PROMOTIONS, OUR_CALLS])
    assert not bars_calls([PROMOTIONS, OF_EXAMPL, NO_SMS, ALL_SMS])


def test_what_a_refusal_teaches_and_how_long_it_is_believed() -> None:
    month = timedelta(days=30)
    assert [(learned(each, "EXAMPL"), each) for each in Class] == [
        (PROMOTIONS, Class.PROMOTIONAL),
        (OF_EXAMPL, Class.SENDER),
        (NO_SMS, Class.TAKES_NO_SMS),
    ]
    assert learned(Class.SENDER, None) is None
    assert [lasts(each) for each in (PROMOTIONS, OF_EXAMPL, NO_SMS, OUR_CALLS)] == [None, None, month, month]


def judged(kind: Kind, *bars: Bar, number: str = CALLER, **changes: Any) -> Judgement:
    candidate = Candidate(
        kind, "admissions", Plan.OPEN, NOON + minutes(15), bars=bars, number=number, exophone=EXOPHONE
    )
    return judge(candidate, policy(everything(**changes)), NOON)


def dropped(reason: Reason) -> Close:
    return Close(Outcome.DROPPED, reason)


def test_the_gates_ask_for_the_class_and_the_sender_of_the_text() -> None:
    promotion = sms(message_class=PROMOTIONAL)
    assert judged(Kind.SMS, PROMOTIONS, sms=promotion) == dropped(Reason.REFUSES_SMS)
    assert judged(Kind.SMS, PROMOTIONS) == Go()
    opts_out = UnsubscribePolicy("news", suppress=True)
    assert judged(Kind.SMS, PROMOTIONS, sms=promotion, unsubscribe=opts_out) == Go()
    assert judged(Kind.SMS, OF_EXAMPL) == dropped(Reason.REFUSES_SMS)
    assert judged(Kind.SMS, OF_EXAMPL, sms=sms(sender="OTHERS")) == Go()
    assert judged(Kind.SMS, NO_SMS) == dropped(Reason.TAKES_NO_SMS)
    assert judged(Kind.SMS, OUR_CALLS) == Go()


def test_the_gates_let_the_register_of_calls_bar_calls_only() -> None:
    assert judged(Kind.CALLBACK, OUR_CALLS) == dropped(Reason.DO_NOT_DISTURB)
    assert judged(Kind.CALLBACK, PROMOTIONS, OF_EXAMPL, NO_SMS) == Go()
    assert judged(Kind.WEBHOOK, OUR_CALLS, NO_SMS) == Go()


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
        (Verdict.ACCEPTED, -0.4, True),  # Exotel's seconds are whole
        (Verdict.ACCEPTED, -60.0, False),  # told of late: it rang before the refusal
        (Verdict.REDELIVERED, 60.0, False),
        (Verdict.NOT_MISSED, 60.0, False),
        (Verdict.UNKNOWN_EXOPHONE, 60.0, False),
    ],
)
def test_who_rings_again_may_be_called_again(verdict: Verdict, late_s: float, lifts: bool) -> None:
    refused_at = NOON + seconds(0.4)
    history = CallerHistory(bars=(PROMOTIONS, OUR_CALLS), calls_refused_at=refused_at)
    at = refused_at + seconds(late_s)
    assert history.rings_again(Admission(verdict, Reason.FIRST_CALL, "admissions", EXOPHONE, at)) is lifts
    assert history.bars == ((PROMOTIONS,) if lifts else (PROMOTIONS, OUR_CALLS))
    assert (history.calls_refused_at is None) is lifts


@pytest.mark.parametrize(
    ("bar", "words"),
    [
        (Bar(), "Nobody contacts it"),
        (OUR_CALLS, "Nobody calls it before it rings again"),
        (PROMOTIONS, "No promotional SMS is sent to it"),
        (OF_EXAMPL, "No SMS of EXAMPL is sent to it"),
        (NO_SMS, "It takes no SMS, so none is sent to it"),
        (ALL_SMS, "No SMS is sent to it"),
    ],
)
def test_each_says_what_it_bars(bar: Bar, words: str) -> None:
    assert barred({"channel": str(bar.channel), "class": bar.of, "sender": bar.sender}) == words


def test_a_campaign_without_sms_has_none_to_bar() -> None:
    assert judge(
        Candidate(Kind.SMS, "admissions", Plan.OPEN, None, bars=(NO_SMS,)), policy(campaign()), NOON
    ) == dropped(Reason.NO_LONGER_CONFIGURED)
