"""Verifications on disk, over both drivers: one call, of the right number, in time, once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from msgspec import to_builtins

from missedd.core.model import InboundCall, Lane, Outcome
from missedd.core.people.verification import VerificationRefusal
from missedd.core.policy import VerifyPolicy, WebhookPolicy
from missedd.core.reasons import Reason
from missedd.store.actions.action_transitions import close_action
from missedd.store.actions.operator_changes import resend_webhook
from missedd.store.people.suppressions import suppress
from missedd.store.people.verifications import (
    expire_and_fetch_verification,
    fetch_verification,
    start_verification,
)
from missedd.store.reads.reader import call_trace
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    call,
    campaign,
    minutes,
    policy,
    seconds,
)
from tests.store.steps import actions, admit_calls, rows, verdict_texts

SIGNUP = campaign(
    name="signup",
    verify=VerifyPolicy(minutes(5), 3),
    webhook=WebhookPolicy("https://app.example.in/x"),
)
QUIET = campaign(name="quiet", exophones=(SECOND_EXOPHONE,), verify=VerifyPolicy(minutes(5), 3))
VERIFYING = policy(SIGNUP, QUIET)


async def started(
    store: Store, name: str = "v1", number: str = CALLER, at: float = 0, of: Any = SIGNUP
) -> Any:
    unit = partial(
        start_verification, verification_id=name, number=number, campaign=of, now=NOON + minutes(at)
    )
    return await store.write(unit)


async def standing(store: Store, name: str = "v1") -> tuple[str, str, str | None]:
    found = await store.read(partial(fetch_verification, verification_id=name))
    assert found is not None
    return found.status, found.reason, found.call_sid


async def rung(store: Store, *calls: InboundCall, told_at: float) -> list[str]:
    """Admit the calls; the reasons of all attempts so far."""
    await admit_calls(store, *calls, of=VERIFYING, at=NOON + minutes(told_at))
    return [reason for kind, reason in await actions(store, "kind, reason") if kind == "verify"]


async def test_a_waiting_verification_is_proved_by_a_call(store: Store) -> None:
    assert to_builtins(await started(store)) == {
        "id": "v1",
        "number": CALLER,
        "campaign": "signup",
        "call": "+918047120001",
        "created_at": "2026-11-23T06:30:00.000Z",
        "expires_at": "2026-11-23T06:35:00.000Z",
        "status": "pending",
        "reason": "awaiting-call",
        "reason_words": "the number has not called yet",
        "verified_at": None,
        "call_sid": None,
    }
    assert await rung(store, call("c1", NOON + minutes(1)), told_at=2) == ["verified"]
    found = await store.read(partial(fetch_verification, verification_id="v1"))
    assert found is not None
    assert (found.status, found.verified_at) == ("verified", "2026-11-23T06:32:00.000Z")
    story = await store.read(partial(call_trace, call_sid="c1"))
    assert story is not None
    assert (found.call_sid, story.verification) == ("c1", "v1")


async def test_only_the_right_number_and_the_right_campaign_prove_it(store: Store) -> None:
    await started(store)
    calls = (
        call("c1", NOON + minutes(1), caller=OTHER),
        call("c2", NOON + minutes(1), dialled=(SECOND_EXOPHONE,)),
    )
    assert await rung(store, *calls, told_at=1) == ["no-verification-pending"] * 2
    assert await standing(store) == ("pending", "awaiting-call", None)


@pytest.mark.parametrize("same_batch", [True, False])
async def test_a_verification_is_proved_once(store: Store, same_batch: bool) -> None:
    await started(store)
    calls = [call(f"c{n}", NOON + minutes(n)) for n in (1, 2)]
    for batch in [calls] if same_batch else [[each] for each in calls]:
        await admit_calls(store, *batch, of=VERIFYING, at=NOON + minutes(3))
    assert await actions(store, "kind, reason") == [
        ("verify", "verified"),
        ("webhook", "owed"),
        ("webhook", "owed"),
        ("verify", "no-verification-pending"),
    ]
    assert await standing(store) == ("verified", "verified", "c1")


async def test_a_redelivery_proves_nothing(store: Store) -> None:
    await rung(store, call("c1", NOON), told_at=0)
    await started(store, at=1)
    assert await rung(store, call("c1", NOON + minutes(2)), told_at=2) == ["no-verification-pending"]
    assert (await standing(store))[0] == "pending"


async def test_duplicates_and_suppressed_callers_prove_their_number_too_and_it_is_told(store: Store) -> None:
    await admit_calls(store, call("c0", NOON - minutes(1)), of=VERIFYING, at=NOON)
    await started(store)
    (repeat,) = await admit_calls(store, call("c1", NOON + minutes(1)), of=VERIFYING, at=NOON + minutes(1))
    assert (verdict_texts([repeat]), [each.lane for each in repeat.timers]) == (["duplicate"], [Lane.WEBHOOK])
    await started(store, "v2", at=2)
    await store.write(partial(suppress, number=CALLER, reason="x", source="api", now=NOON, until=None))
    (barred,) = await admit_calls(store, call("c2", NOON + minutes(3)), of=VERIFYING, at=NOON + minutes(3))
    assert (verdict_texts([barred]), len(barred.timers)) == (["suppressed"], 1)
    assert [await standing(store, each) for each in ("v1", "v2")] == [
        ("verified", "verified", "c1"),
        ("verified", "verified", "c2"),
    ]
    assert await rows(store, "SELECT details ->> 'verification' FROM actions WHERE kind = 'webhook'") == [
        (None,),
        ("v1",),
        ("v2",),
    ]


async def test_without_a_webhook_nobody_is_told(store: Store) -> None:
    await started(store, of=QUIET)
    inbound = call("c1", NOON + minutes(1), dialled=(SECOND_EXOPHONE,))
    assert await rung(store, inbound, told_at=1) == ["verified"]
    assert await actions(store, "kind") == [("verify",)]


async def test_a_call_that_is_delivered_late_counts_by_its_own_time_unless_the_end_was_told(
    store: Store,
) -> None:
    await started(store)
    assert await rung(store, call("c1", NOON + minutes(6)), told_at=6) == ["verification-expired"]
    assert (await standing(store))[0] == "pending", "that call was too late; another may have been in time"
    assert await rung(store, call("c2", NOON + minutes(4)), told_at=7) == ["verification-expired", "verified"]

    await started(store, "v2", at=10)
    early = await store.write(
        partial(expire_and_fetch_verification, verification_id="v2", now=NOON + minutes(14.9))
    )
    assert early is not None
    assert early.status == "pending"
    told = await store.write(
        partial(expire_and_fetch_verification, verification_id="v2", now=NOON + minutes(15))
    )
    assert told is not None
    assert (told.status, told.reason) == ("expired", "not-rung-in-time")
    assert (await rung(store, call("c3", NOON + minutes(14)), told_at=20))[-1] == "verification-expired"
    assert await standing(store, "v2") == ("expired", "not-rung-in-time", None)


async def test_an_unknown_verification_id_finds_nothing(store: Store) -> None:
    assert await store.write(partial(expire_and_fetch_verification, verification_id="v9", now=NOON)) is None


async def test_another_start_takes_the_place_of_one_that_waits(store: Store) -> None:
    await started(store, "v1")
    await started(store, "v2", at=1)
    assert await rung(store, call("c1", NOON + minutes(0.5)), told_at=2) == ["verification-expired"]
    assert (await rung(store, call("c2", NOON + minutes(2)), told_at=2))[-1] == "verified"
    await started(store, "v3", at=20, of=QUIET)
    await started(store, "v4", at=26, of=QUIET)
    assert [await standing(store, f"v{n}") for n in (1, 2, 3, 4)] == [
        ("expired", "superseded", None),
        ("verified", "verified", "c2"),
        ("expired", "not-rung-in-time", None),
        ("pending", "awaiting-call", None),
    ]


async def test_a_number_may_start_so_many_in_an_hour(store: Store) -> None:
    for n, at in enumerate((0, 10, 20)):
        assert not isinstance(await started(store, f"v{n}", at=at), VerificationRefusal)
    refused = VerificationRefusal(Reason.TOO_MANY_VERIFICATIONS, NOON + minutes(60))
    assert await started(store, "v3", at=30) == refused
    assert await started(store, "v3", at=59.99) == refused
    assert not isinstance(await started(store, "v3", OTHER, 30), VerificationRefusal), "another number"
    assert not isinstance(await started(store, "v4", at=30, of=QUIET), VerificationRefusal), (
        "another campaign"
    )
    assert not isinstance(await started(store, "v5", at=60), VerificationRefusal)
    assert await rows(store, "SELECT count(*) FROM verifications") == [(6,)]
    assert await started(store, "v6", of=campaign()) == VerificationRefusal(Reason.VERIFIES_NOTHING)


async def test_after_the_clock_was_set_back_the_one_that_waits_is_still_found(store: Store) -> None:
    await started(store, "v1", at=10)
    await started(store, "v2", at=1)
    assert await rung(store, call("c1", NOON + minutes(12)), told_at=12) == ["verification-expired"]
    assert await rung(store, call("c2", NOON + minutes(5)), told_at=12) == [
        "verification-expired",
        "verified",
    ]


async def test_a_webhook_that_is_sent_again_tells_the_same(store: Store) -> None:
    await started(store)
    await rung(store, call("c1", NOON + minutes(1)), told_at=1)
    parked = partial(
        close_action, outcome=Outcome.FAILED, reason=Reason.RETRIES_EXHAUSTED, now=NOON + seconds(99)
    )
    await store.write(partial(parked, action_id=2))
    wake = await store.write(partial(resend_webhook, action_id=2, now=NOON + minutes(3)))
    assert wake is not None
    assert (await actions(store, "details ->> 'verification'"))[-1] == ("v1",)
