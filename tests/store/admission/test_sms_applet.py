"""The SMS applet and the dispatcher want the same text: whoever comes first has it, and only they."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import pytest

from missedd.core.admission.pauses import Pause
from missedd.core.audit import Actor, Source
from missedd.core.model import SHAPE_SMS_APPLET, InboundCall, Kind, Outcome
from missedd.core.people.suppression import BLOCKS_ALL, BLOCKS_SMS, Channel, Restriction
from missedd.core.policy import AfterHoursCallback, MessageClass, Policy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused, Unknown
from missedd.store.actions.pauses import pause, resume
from missedd.store.actions.quarantine import start_quarantine
from missedd.store.admission.sms_applet import SmsHandover, hand_over_sms, preview_sms
from missedd.store.people.suppressions import suppress
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    EXOPHONE,
    NOON,
    STRANGE,
    after_hours,
    call,
    callback,
    campaign,
    ist,
    minutes,
    office,
    policy,
    seconds,
    sms,
)
from tests.store.steps import (
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    report_outcome,
    rows,
    verdict_texts,
)

TEXT = f"{CALLER} rang at 12:00."
TEXTS = policy(campaign(sms=sms(body="{caller} rang at {time}."), callback=callback()))
PROMOTION = policy(campaign(sms=sms(message_class=MessageClass.PROMOTIONAL)))
LATER = NOON + seconds(20)
GIVEN = ("done", "handed-over", Reason.HANDED_TO_APPLET)


def asking(sid: str = "c1", **changes: Any) -> InboundCall:
    return call(sid, None, shape=SHAPE_SMS_APPLET, **changes)


async def asked(
    store: Store,
    inbound: InboundCall | None = None,
    *,
    of: Policy = TEXTS,
    at: datetime = NOON,
    is_awaited: bool = True,
) -> SmsHandover:
    """HEAD, then GET: what the first foresees is what the second gives, if nothing came between."""
    inbound = inbound or asking()
    foreseen = await store.read(partial(preview_sms, call=inbound, policy=of, now=at))
    unit = partial(hand_over_sms, call=inbound, policy=of, now=at, is_client_waiting=lambda: is_awaited)
    given = await store.write(unit)
    assert given.text == foreseen or not is_awaited
    return given


async def texts(store: Store) -> list[tuple[Any, ...]]:
    return await rows(store, "SELECT state, outcome, reason FROM actions WHERE kind = 'sms'")


@pytest.mark.parametrize("caller", ["+881612345678", "+912225551234"])
async def test_neither_a_number_from_abroad_nor_a_landline_is_given_a_text(store: Store, caller: str) -> None:
    given = await asked(store, asking(caller=caller))
    assert (given.text, given.action) == ("", None)


async def test_a_number_of_ours_is_given_no_text(store: Store) -> None:
    given = await asked(store, asking(caller=EXOPHONE))
    assert (given.text, given.action) == ("", None)
    assert await rows(store, "SELECT verdict FROM calls") == [("own-number",)]


async def test_the_applet_is_first_and_the_dispatcher_finds_nothing_left(store: Store) -> None:
    await admit_calls(store, call(), of=TEXTS)
    given = await asked(store, at=LATER)
    assert (given.text, given.admitted) == (TEXT, None)
    assert given.action is not None
    assert given.action.kind is Kind.SMS
    assert await texts(store) == [GIVEN]
    assert await rows(store, "SELECT wake_at, placed_at FROM actions WHERE kind = 'sms'") == [(None, None)]
    claims = await claim_actions(store, 1, at=LATER, of=TEXTS)
    assert (claims.claimed, claims.stopped) == ((), ())
    assert await rows(store, "SELECT count(*) FROM attempts") == [(0,)]


@pytest.mark.parametrize("answer", [Accepted("s1"), Unknown("read-timeout"), None])
async def test_what_is_sent_or_being_sent_is_not_given_too(store: Store, answer: Any) -> None:
    await admit_calls(store, call(), of=TEXTS)
    await claim_actions(store, 1, at=NOON, of=TEXTS)
    if answer is not None:
        await answer_action(store, answer, kind=Kind.SMS)
    before = await texts(store)
    assert (await asked(store, at=LATER)).text == ""
    assert await texts(store) == before


async def test_what_was_delivered_is_not_given_again(store: Store) -> None:
    await admit_calls(store, call(), of=TEXTS)
    await claim_actions(store, 1, at=NOON, of=TEXTS)
    await answer_action(store, Accepted("sid-1"), kind=Kind.SMS)
    await report_outcome(store, Outcome.DELIVERED, kind=Kind.SMS)
    assert (await asked(store, at=LATER)).text == ""
    assert await texts(store) == [("done", "delivered", Reason.SMS_DELIVERED)]


async def test_what_the_provider_refused_for_now_is_given(store: Store) -> None:
    await admit_calls(store, call(), of=TEXTS)
    await claim_actions(store, 1, at=NOON, of=TEXTS)
    await answer_action(store, Refused(True, "503", Reason.RATE_LIMITED), kind=Kind.SMS)
    assert (await asked(store, at=LATER)).text == TEXT
    assert await texts(store) == [GIVEN]


async def test_a_second_request_gets_nothing_as_the_first_answer_may_have_arrived(store: Store) -> None:
    assert (await asked(store)).text == TEXT
    again = await asked(store, at=LATER)
    assert (again.text, again.action, again.admitted) == ("", None, None)
    assert await texts(store) == [GIVEN]


async def test_a_call_that_is_news_is_admitted_and_the_webhook_is_a_redelivery(store: Store) -> None:
    given = await asked(store)
    assert given.text == TEXT
    assert given.admitted is not None
    assert verdict_texts([given.admitted]) == ["accepted"]
    assert await actions(store, "kind, state") == [("sms", "done"), ("callback", "planned")]
    assert await rows(store, "SELECT shape, verdict FROM calls") == [(SHAPE_SMS_APPLET, "accepted")]
    assert verdict_texts(await admit_calls(store, call(), of=TEXTS)) == ["redelivered"]
    assert await texts(store) == [GIVEN]


async def test_a_repeat_gets_no_text_whoever_tells_of_it(store: Store) -> None:
    assert (await asked(store)).text == TEXT
    again = await asked(store, asking("c2"), at=NOON + minutes(2))
    assert again.text == ""
    assert again.admitted is not None
    assert verdict_texts([again.admitted]) == ["duplicate"]


@pytest.mark.parametrize(
    "changes", [{"dialled": (STRANGE,)}, {"caller": None}, {"not_missed": Reason.CONVERSATION}]
)
async def test_who_is_owed_nothing_gets_nothing(store: Store, changes: dict[str, Any]) -> None:
    given = await asked(store, asking(**changes))
    assert (given.text, given.action) == ("", None)
    assert await rows(store, "SELECT count(*) FROM calls") == [(1,)]


async def test_a_conversation_does_not_become_a_missed_call_by_asking(store: Store) -> None:
    await admit_calls(store, call(not_missed=Reason.CONVERSATION), of=TEXTS)
    assert (await asked(store, at=LATER)).admitted is None
    assert await rows(store, "SELECT verdict FROM calls") == [("not-missed",)]


@pytest.mark.parametrize("bar", [BLOCKS_ALL, Restriction(Channel.SMS), BLOCKS_SMS])
async def test_a_suppression_since_holds_for_the_applet(store: Store, bar: Restriction) -> None:
    await admit_calls(store, call(), of=TEXTS)
    await store.write(lambda db: suppress(db, CALLER, "asked", "api", NOON + seconds(1), None, bar))
    assert (await asked(store, at=LATER)).text == ""
    assert await texts(store) == [("planned", None, Reason.OWED)]


async def test_quiet_hours_hold_for_the_applet(store: Store) -> None:
    night = ist("2026-11-23 22:00")
    assert (await asked(store, of=PROMOTION, at=night)).text == ""
    assert await texts(store) == [("held", None, Reason.QUIET_HOURS)]
    assert (await asked(store, of=PROMOTION, at=ist("2026-11-24 09:59"))).text == ""
    assert (await asked(store, of=PROMOTION, at=ist("2026-11-24 10:00"))).text == "Thank you for calling."


async def test_a_pause_holds_for_the_applet(store: Store) -> None:
    paused = Pause("admissions", NOON, None, "a fault on our side", Actor(Source.CLI))
    await store.write(partial(pause, new_pause=paused))
    assert (await asked(store)).text == ""
    assert await texts(store) == [("held", None, Reason.CAMPAIGN_PAUSED)]
    await store.write(partial(resume, campaign="admissions", now=LATER))
    assert (await asked(store, at=LATER)).text == TEXT


async def test_what_is_too_old_is_not_given(store: Store) -> None:
    await admit_calls(store, call(), of=TEXTS)
    assert (await asked(store, at=NOON + minutes(6 * 60 + 1))).text == ""


async def test_the_quarantine_after_a_restore_holds_for_the_applet(store: Store) -> None:
    await admit_calls(store, call(), of=TEXTS)
    await store.write(partial(start_quarantine, now=NOON + seconds(1)))
    assert (await asked(store, at=LATER)).text == ""
    assert await texts(store) == [("held", None, Reason.QUARANTINED)]


async def test_a_text_that_does_not_match_is_left_to_be_refused(store: Store) -> None:
    of = policy(campaign(sms=sms(body="{time}", dlt_template="At {#var#}")))
    assert (await asked(store, of=of)).text == ""
    await claim_actions(store, 1, at=NOON, of=of)
    assert await texts(store) == [("done", "refused", Reason.TEMPLATE_MISMATCH)]


async def test_after_hours_has_its_own_text(store: Store) -> None:
    closed = sms(body="We open at {opening}.")
    plan = after_hours(AfterHoursCallback.DEFER, closed)
    hours = policy(campaign(sms=sms(), hours=office(), after_hours=plan))
    assert (await asked(store, of=hours, at=ist("2026-11-23 23:00"))).text == "We open at Tue 09:30."


async def test_the_flow_of_a_callback_of_ours_is_no_missed_call(store: Store) -> None:
    await admit_calls(store, call(), of=TEXTS)
    await claim_actions(store, 2, of=TEXTS)
    # Before we are told its Sid, and after.
    given = await asked(store, asking("sid-1"), at=NOON + minutes(10))
    assert (given.text, given.admitted) == (TEXT, None)
    await answer_action(store, Accepted("sid-1"), action_id=2)
    given = await asked(store, asking("sid-1"), at=NOON + minutes(10))
    assert (given.text, given.admitted) == ("", None)
    assert await rows(store, "SELECT call_sid FROM calls") == [("c1",)]


async def test_what_nobody_waits_for_is_left_to_the_dispatcher(store: Store) -> None:
    given = await asked(store, is_awaited=False)
    assert (given.text, given.action) == ("", None)
    assert given.admitted is not None
    assert await texts(store) == [("planned", None, Reason.OWED)]
