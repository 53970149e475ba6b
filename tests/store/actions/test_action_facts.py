"""What is kept with an action: as it was sent, completed by whatever tells more, gone with its number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from missedd.core.actions.details import ACTION_DETAILS
from missedd.core.model import Kind, State, StatusReport
from missedd.core.people.erasure import ErasureCause, ErasureResult
from missedd.core.policy import AfterHoursCallback, Policy
from missedd.engine.reconciliation.status_reports import interpret_report
from missedd.exotel.request_result import Accepted
from missedd.store.actions.status_reports import apply_report
from missedd.store.admission.sms_applet import hand_over_sms
from missedd.store.people.erase import erase_number
from missedd.store.reads.reader import call_trace
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    NOON,
    after_hours,
    call,
    callback,
    campaign,
    ist,
    minutes,
    office,
    policy,
    sms,
)
from tests.store.steps import DUE, actions, admit_calls, answer_action, claim_actions, rows

RECORDING = "https://recordings.exotel.com/x/y.mp3"
AGENTS = policy(campaign(callback=callback(flow=None, agents=("+919800000001",))))
TEXTS = policy(campaign(sms=sms(body="{caller}: धन्यवाद", dlt_template=None)))
TEXT = f"{CALLER}: धन्यवाद"
ENDED = {
    "Status": "completed",
    "ConversationDuration": "8",
    "Legs[0][Status]": "completed",
    "Legs[1][Status]": "completed",
}


async def told(
    store: Store,
    fields: Mapping[str, str],
    *,
    of: Policy = AGENTS,
    kind: Kind = Kind.CALLBACK,
    is_final: bool = True,
    sid: str = "sid-1",
) -> str:
    report = StatusReport(sid, fields.get("Status", ""), None, is_final, None, fields)
    unit = partial(apply_report, action_id=1, kind=kind, report=report, interpret=interpret_report, policy=of)
    return (await store.write(partial(unit, now=DUE + minutes(2)))).effect


async def facts(store: Store, call_sid: str = "c1") -> dict[str, Any]:
    story = await store.read(partial(call_trace, call_sid=call_sid))
    assert story is not None
    (action,) = story.actions
    values = ((each.name, getattr(action, each.name)) for each in ACTION_DETAILS)
    return {name: value for name, value in values if value is not None}


async def rung(store: Store) -> None:
    await admit_calls(store, call("c1"), of=AGENTS)
    assert (await claim_actions(store, 1, of=AGENTS)).claimed
    await answer_action(store, Accepted("sid-1", "200"))


async def texted(store: Store, of: Policy = TEXTS, at: datetime = NOON) -> None:
    await admit_calls(store, call("c1", at), of=of, at=at)
    assert (await claim_actions(store, 1, of=of, at=at)).claimed


async def test_each_report_adds_what_it_knows(store: Store) -> None:
    await rung(store)
    connected = {"agent": "+919800000001", "first": "agent"}
    assert await facts(store) == connected
    while_it_rings = {"Status": "in-progress", "EventType": "answered", "ConversationDuration": "0"}
    assert await told(store, while_it_rings, is_final=False) == "noted: not final"
    assert await facts(store) == connected
    assert await told(store, ENDED) == "applied"
    assert await facts(store) == connected | {"talk_s": 8}
    assert await told(store, {"Status": "completed", "RecordingUrl": RECORDING}) == "ignored: already final"
    assert await told(store, {"Status": "completed", "Price": "1.500"}) == "ignored: already final"
    whole = connected | {"talk_s": 8, "recording_url": RECORDING, "price": "1.500"}
    assert await facts(store) == whole
    assert await told(store, while_it_rings, is_final=False) == "noted: not final"
    assert await told(store, {"Status": "completed", "RecordingUrl": "null", "Price": ""}) == (
        "ignored: already final"
    )
    assert await facts(store) == whole


async def test_another_calls_report_tells_nothing_of_this_one(store: Store) -> None:
    await rung(store)
    assert await told(store, ENDED, sid="another") == "ignored: another call"
    assert "talk_s" not in await facts(store)


async def test_a_text_is_kept_as_it_was_sent(store: Store) -> None:
    await texted(store)
    assert await facts(store) == {"text": TEXT, "units": 1}
    ((details,),) = await actions(store, "details")
    assert TEXT in details, "a letter of Hindi takes three bytes, not six"
    await answer_action(store, Accepted("sid-1", "200"), kind=Kind.SMS)
    report = {"Status": "sent", "SmsUnits": "2", "Price": "0.360000"}
    await told(store, report, of=TEXTS, kind=Kind.SMS)
    assert await facts(store) == {"text": TEXT, "units": 2, "price": "0.360000"}


async def test_the_text_of_after_hours_is_the_one_that_is_kept(store: Store) -> None:
    closed = after_hours(AfterHoursCallback.DEFER, sms(body="We are closed."))
    night = policy(campaign(sms=sms(), hours=office(), after_hours=closed))
    await texted(store, night, ist("2026-11-23 23:00"))
    assert (await facts(store))["text"] == "We are closed."


async def test_the_text_that_the_applet_took_is_kept(store: Store) -> None:
    inbound = call("c1")
    unit = partial(hand_over_sms, call=inbound, policy=TEXTS, now=NOON, is_client_waiting=lambda: True)
    assert (await store.write(unit)).text == TEXT
    assert await facts(store) == {"text": TEXT, "units": 1}


async def test_a_text_that_was_not_sent_is_not_told(store: Store) -> None:
    unfit = policy(campaign(sms=sms(body="{caller} rang", dlt_template="Thank you")))
    await admit_calls(store, call("c1"), of=unfit)
    assert not (await claim_actions(store, 1, of=unfit, at=NOON)).claimed
    assert await actions(store, "state, reason") == [(State.DONE, "template-mismatch")]
    assert await facts(store) == {}


async def test_action_facts_are_erased_with_the_number(store: Store) -> None:
    await rung(store)
    await told(store, ENDED | {"RecordingUrl": RECORDING, "Price": "1.500"})
    await store.write(lambda db: db.execute("UPDATE actions SET details = json_set(details, '$.poll', 'x')"))
    erased = await store.write(
        partial(erase_number, number=CALLER, at=NOON + minutes(60), cause=ErasureCause.OPERATOR)
    )
    assert isinstance(erased, ErasureResult)
    assert await facts(store) == {}
    assert [json.loads(each) for (each,) in await actions(store, "details")] == [{"poll": "x"}]
    assert await told(store, ENDED | {"RecordingUrl": RECORDING}) == "ignored: the number is erased"
    assert await facts(store) == {}
    everything = await rows(store, "SELECT details, fields FROM actions CROSS JOIN reports")
    assert RECORDING not in str(everything)
