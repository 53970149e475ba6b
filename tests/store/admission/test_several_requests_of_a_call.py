"""Several requests of one CallSid: a proof that somebody took the call holds, whenever it comes."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import permutations

import pytest

from missedd.base.clock import to_us
from missedd.core.model import InboundCall, Kind, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused, Unknown
from missedd.store.admission.sms_applet import hand_over_sms, preview_sms
from missedd.store.people.suppressions import suppress
from missedd.store.reads.attention import early_webhook_counts
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    NOON,
    call,
    callback,
    campaign,
    everything,
    minutes,
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

OF = policy(campaign(lead_source="x", sms=sms(), callback=callback(delay=minutes(10), retries=(minutes(5),))))
ALL = policy(everything(callback=callback(delay=minutes(10)), unsubscribe=None))
TALKED, MESSAGE = Reason.CONVERSATION, Reason.VOICEMAIL
OWED = ("planned", None, "owed")
CANCELLED = ("done", "cancelled", "reached-otherwise")
LATER = NOON + minutes(2)
SMS, CALLBACK = 2, 3


def taken(sid: str = "c1", by: Reason = TALKED, at: datetime = NOON) -> InboundCall:
    return call(sid, at, not_missed=by)


async def contacts(store: Store) -> list[tuple[object, ...]]:
    return await rows(
        store, "SELECT state, outcome, reason FROM actions WHERE kind IN ('sms', 'callback') ORDER BY id"
    )


async def kept(store: Store) -> list[tuple[object, ...]]:
    return await rows(store, "SELECT verdict, reason, reached_at, reached_by FROM calls ORDER BY id")


@pytest.mark.parametrize("by", [TALKED, MESSAGE])
@pytest.mark.parametrize("same_batch", [True, False])
async def test_proof_that_a_call_was_taken_cancels_what_is_owed_for_it(
    store: Store, by: Reason, same_batch: bool
) -> None:
    calls = [call("c1"), taken("c1", by), taken("c1", by), call("c1")]
    if same_batch:
        found = await admit_calls(store, *calls, of=OF)
    else:
        found = [each for inbound in calls for each in await admit_calls(store, inbound, of=OF)]
    assert verdict_texts(found) == ["accepted", "not-missed", "redelivered", "redelivered"]
    assert [(each.id, each.outcome) for each in found[1].cancelled] == [
        (SMS, Outcome.CANCELLED),
        (CALLBACK, Outcome.CANCELLED),
    ]
    assert found[1].sent_callbacks == ()
    assert await contacts(store) == [CANCELLED, CANCELLED]
    assert await kept(store) == [("accepted", "first-call", to_us(NOON), by.value)]
    assert await rows(store, "SELECT redeliveries FROM calls") == [(2,)]


@pytest.mark.parametrize("by", [TALKED, MESSAGE])
async def test_what_contacts_nobody_stays(store: Store, by: Reason) -> None:
    await admit_calls(store, call("c1"), of=ALL)
    before = await rows(store, "SELECT * FROM actions WHERE kind NOT IN ('sms', 'callback') ORDER BY id")
    await admit_calls(store, taken("c1", by), of=ALL, at=LATER)
    assert (
        await rows(store, "SELECT * FROM actions WHERE kind NOT IN ('sms', 'callback') ORDER BY id") == before
    )
    assert await rows(store, "SELECT status, count FROM leads") == [
        ("contacted" if by is TALKED else "new", 1)
    ]
    assert await rows(store, "SELECT count(*) FROM votes WHERE standing = 'counted'") == [(1,)]


async def test_a_call_that_was_taken_is_no_missed_call_any_more(store: Store) -> None:
    for sid, by in (("c1", TALKED), ("c2", MESSAGE)):
        found = await admit_calls(store, taken(sid, by), call(sid), taken(sid, by), of=OF)
        assert verdict_texts(found) == ["not-missed", "redelivered", "redelivered"]
    assert await actions(store) == []
    assert await kept(store) == [("not-missed", by.value, None, None) for by in (TALKED, MESSAGE)]


async def test_every_order_of_a_call_s_requests_ends_alike(store: Store) -> None:
    said = (None, Reason.AGENT_EVENT, Reason.STILL_IN_PROGRESS, Reason.OTHER_PRODUCT, TALKED)
    for index, order in enumerate(permutations(said)):
        sid, at = f"c{index}", NOON + minutes(20 * index)
        for not_missed in order:
            await admit_calls(store, call(sid, at, not_missed=not_missed), of=OF, at=at)
    assert await rows(store, "SELECT DISTINCT state, outcome FROM actions WHERE kind = 'callback'") == [
        ("done", "cancelled")
    ]
    assert await rows(
        store, "SELECT count(*) FROM calls WHERE reason = 'conversation' OR reached_by = 'conversation'"
    ) == [(120,)]


EAGER = policy(campaign(lead_source="x", dedup_window=seconds(1), callback=callback(delay=minutes(9))))


async def waiting(store: Store) -> list[tuple[object, ...]]:
    return await rows(store, "SELECT due_at FROM actions WHERE kind = 'callback' AND state = 'planned'")


@pytest.mark.parametrize("told_first", [None, MESSAGE])
async def test_a_voicemail_leaves_what_an_earlier_call_is_owed(
    store: Store, told_first: Reason | None
) -> None:
    """In any order of arrival, though the later call's callback took the place of the earlier one's."""
    await admit_calls(store, call("c1"), of=EAGER)
    for told in (told_first, None if told_first else MESSAGE):
        await admit_calls(store, call("c2", LATER, not_missed=told), of=EAGER, at=LATER)
    assert await waiting(store) == [(to_us(NOON + minutes(9)),)]


@pytest.mark.parametrize("order", list(permutations(["c2", "c3", "c4"])))
async def test_voicemails_in_any_order_leave_what_the_earliest_call_is_owed(
    store: Store, order: tuple[str, ...]
) -> None:
    for n in range(4):
        await admit_calls(store, call(f"c{n + 1}", NOON + minutes(n)), of=EAGER, at=NOON + minutes(n))
    for sid in order:
        at = NOON + minutes(int(sid[1:]) - 1)
        await admit_calls(store, taken(sid, MESSAGE, at), of=EAGER, at=NOON + minutes(5))
    assert await waiting(store) == [(to_us(NOON + minutes(9)),)]
    assert await rows(
        store,
        """SELECT c.call_sid FROM actions a JOIN calls c ON c.id = a.call_id
           WHERE a.kind = 'callback' AND a.state = 'planned'""",
    ) == [("c1",)]


async def test_a_conversation_ends_what_earlier_calls_are_owed(store: Store) -> None:
    await admit_calls(store, call("c1"), of=EAGER)
    await admit_calls(store, call("c2", LATER), of=EAGER, at=LATER)
    (found,) = await admit_calls(store, taken("c2", TALKED, LATER), of=EAGER, at=LATER + minutes(3))
    assert [(each.id, each.outcome) for each in found.cancelled] == [(4, Outcome.CANCELLED)]
    assert await contacts(store) == [("done", "dropped", "already-owed"), CANCELLED]
    assert await rows(store, "SELECT status FROM leads") == [("contacted",)]


async def test_a_call_for_which_nothing_was_owed_is_marked_too(store: Store) -> None:
    await store.write(partial(suppress, number=CALLER, reason="asked", source="api", now=NOON, until=None))
    assert verdict_texts(await admit_calls(store, call("c1"), taken(), of=OF)) == ["suppressed", "not-missed"]
    assert await kept(store) == [("suppressed", "caller-suppressed", to_us(NOON), "conversation")]


async def test_whoever_rings_again_after_it_is_nobody_s_duplicate(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    assert verdict_texts(await admit_calls(store, call("c2", NOON + seconds(5)), of=OF)) == ["duplicate"]
    found = await admit_calls(store, taken(), call("c3", LATER), of=OF, at=LATER)
    assert verdict_texts(found) == ["not-missed", "accepted"]
    assert (await contacts(store))[-1] == OWED


async def test_a_retry_and_its_retries_end_with_it(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, CALLBACK, at=NOON + minutes(10), of=OF)
    await answer_action(store, Accepted("sid-1"), CALLBACK, at=NOON + minutes(10))
    await report_outcome(store, Outcome.NO_ANSWER, CALLBACK, at=NOON + minutes(11), of=OF)
    assert await contacts(store) == [OWED, ("done", "no-answer", "customer-no-answer"),
                                     ("planned", None, "retry-unanswered")]  # fmt: skip
    (found,) = await admit_calls(store, taken(), of=OF, at=NOON + minutes(12))
    assert await contacts(store) == [CANCELLED, ("done", "no-answer", "customer-no-answer"), CANCELLED]
    assert [each.id for each in found.sent_callbacks] == [CALLBACK]


async def test_an_attempt_that_comes_back_is_not_made_again(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    due = NOON + minutes(10)
    await claim_actions(store, SMS, CALLBACK, at=due, of=OF)
    (found,) = await admit_calls(store, taken(), of=OF, at=due)
    assert found.cancelled == ()
    assert [each.id for each in found.sent_callbacks] == [CALLBACK]
    for action_id, kind in ((SMS, Kind.SMS), (CALLBACK, Kind.CALLBACK)):
        refused = Refused(True, "429", Reason.RATE_LIMITED)
        wake = await answer_action(store, refused, action_id, kind=kind, at=due + seconds(1))
        assert wake is not None
    (stopped, other) = (await claim_actions(store, SMS, CALLBACK, at=due + minutes(5), of=OF)).stopped
    assert {stopped.reason, other.reason} == {Reason.REACHED_OTHERWISE}
    assert await contacts(store) == [CANCELLED, CANCELLED]


async def test_an_unanswered_callback_of_such_a_call_has_no_retry(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, CALLBACK, at=NOON + minutes(10), of=OF)
    await admit_calls(store, taken(), of=OF, at=NOON + minutes(10))
    await answer_action(store, Unknown("timeout", Reason.REPLY_LOST), CALLBACK, at=NOON + minutes(10))
    await report_outcome(store, Outcome.BUSY, CALLBACK, at=NOON + minutes(11), of=OF)
    assert (
        await rows(store, "SELECT state, outcome FROM actions WHERE origin_id = 3 AND state != 'done'") == []
    )


async def test_the_sms_applet_gets_no_text_for_it(store: Store) -> None:
    await admit_calls(store, call("c1"), taken(), of=OF)
    assert await store.read(partial(preview_sms, call=call("c1"), policy=OF, now=NOON)) == ""
    unit = partial(hand_over_sms, call=call("c1"), policy=OF, now=NOON, is_client_waiting=lambda: True)
    assert (await store.write(unit)).text == ""


async def test_a_call_that_was_told_of_late_meets_the_proof_at_its_gate(store: Store) -> None:
    """Of another call of the same person: the one that was taken began later."""
    await admit_calls(store, call("c2", LATER), of=OF, at=LATER)
    await admit_calls(store, taken("c2", TALKED, LATER), of=OF, at=LATER)
    await admit_calls(store, call("c1"), of=OF, at=LATER)
    (stopped,) = (await claim_actions(store, 6, at=LATER + minutes(9), of=OF)).stopped
    assert (stopped.outcome, stopped.reason) == (Outcome.CANCELLED, Reason.REACHED_OTHERWISE)


async def early(store: Store, at: datetime) -> dict[str, int]:
    return await store.read(partial(early_webhook_counts, now=at))


async def test_a_flow_that_tells_of_calls_too_early_is_told_for_a_day(store: Store) -> None:
    await admit_calls(store, call("c1"), call("c2", caller="+919811100002"), of=OF)
    await claim_actions(store, CALLBACK, at=NOON + minutes(10), of=OF)
    at = NOON + minutes(11)
    await admit_calls(store, taken("c1"), taken("c2"), of=OF, at=at)
    assert await early(store, at) == {"admissions": 1}
    assert await early(store, at + minutes(24 * 60)) == {"admissions": 1}
    assert await early(store, at + minutes(24 * 60 + 1)) == {}
