"""The life of an action on disk, over both drivers: claims, answers, reports, look-ups, a restart."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest

from missedd.base.clock import from_us, to_us
from missedd.core.model import Kind, Lane, Outcome
from missedd.core.people.suppression import RefusedSmsClass
from missedd.core.policy import Policy, Retries, WebhookPolicy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.attempts import recover_in_flight
from missedd.store.actions.lookups import adopt_found_call, claimed_sids, record_failed_lookup
from missedd.store.actions.operator_changes import resend_webhook
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import recent_attempt_times, timers_between
from missedd.store.people.suppressions import suppress, unsuppress
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    NOON,
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
    CALLBACKS,
    DUE,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    report_outcome,
    rows,
)

LOST = Unknown("read-timeout")
TAKEN = Accepted("sid-1")
BUSY = Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=10)


async def placed(store: Store, answer: Answer = TAKEN) -> None:
    """One callback, claimed when it was due, and its answer a second later."""
    await admit_calls(store, call())
    await claim_actions(store, 1)
    await answer_action(store, answer)


# Claims.
async def test_a_claim_is_on_disk_with_its_attempt(store: Store) -> None:
    await admit_calls(store, call())
    claims = await claim_actions(store, 1)
    assert [(each.action.id, each.attempt, each.action.placed_at) for each in claims.claimed] == [(1, 1, DUE)]
    assert await actions(store, "state, wake_at, placed_at") == [("attempting", None, to_us(DUE))]
    assert await rows(store, "SELECT action_id, number, started_at, result FROM attempts") == [
        (1, 1, to_us(DUE), None)
    ]


async def test_claiming_twice_is_harmless(store: Store) -> None:
    await admit_calls(store, call())
    assert len((await claim_actions(store, 1, 1)).claimed) == 1
    assert (await claim_actions(store, 1)).claimed == ()
    await answer_action(store, Accepted("sid-1"))
    assert (await claim_actions(store, 1)).claimed == ()
    await report_outcome(store, Outcome.ANSWERED)
    again = await claim_actions(store, 1, 99)
    assert (again.claimed, again.stopped, again.unjudged_ids, again.early_timers) == ((), (), (), ())
    assert await rows(store, "SELECT count(*) FROM attempts") == [(1,)]


async def test_what_is_not_due_yet_is_left_to_its_timer(store: Store) -> None:
    await admit_calls(store, call())
    claims = await claim_actions(store, 1, at=NOON)
    assert (claims.claimed, claims.stopped) == ((), ())
    assert claims.early_timers == (Timer(to_us(DUE), 1, Lane.VOICE),)
    assert await actions(store) == [("planned", None, "owed")]


async def test_what_was_woken_too_early_is_found_on_disk_when_it_is_due(store: Store) -> None:
    """A start looks at all who wait for an agent, also where the clock was set back since they came."""
    await admit_calls(store, call())
    woken_us = to_us(NOON - minutes(90))
    await store.write(
        lambda db: db.execute(
            "UPDATE actions SET state = 'held', reason = 'agent-busy', wake_at = ?", (woken_us,)
        )
    )
    claims = await claim_actions(store, 1, at=NOON - minutes(90))
    assert claims.early_timers == (Timer(to_us(DUE), 1, Lane.VOICE),)
    assert await actions(store, "wake_at") == [(to_us(DUE),)], "it may lie beyond what is in memory"


async def test_a_limit_leaves_the_rest_untouched_and_unjudged(store: Store) -> None:
    await admit_calls(store, *(call(f"c{n}", caller=f"+9198{n:08}") for n in range(5)))
    claims = await claim_actions(store, 5, 4, 3, 2, 1, limit=2)
    assert [each.action.id for each in claims.claimed] == [5, 4]
    assert claims.unjudged_ids == (3, 2, 1)
    assert [each[0] for each in await actions(store)] == ["planned"] * 3 + ["attempting"] * 2


async def test_what_a_gate_closes_does_not_count_against_the_limit(store: Store) -> None:
    await admit_calls(
        store, *(call(f"c{n}", NOON - minutes(20 * (n != 2)), caller=f"+9198{n:08}") for n in range(3))
    )
    await store.write(
        lambda db: db.execute("UPDATE actions SET state='planned', outcome=NULL, wake_at=due_at")
    )
    claims = await claim_actions(store, 1, 2, 3, limit=1)
    assert [each.action.id for each in claims.claimed] == [3]
    assert [(each.action.id, each.outcome, each.reason) for each in claims.stopped] == [
        (1, Outcome.EXPIRED, Reason.TOO_OLD),
        (2, Outcome.EXPIRED, Reason.TOO_OLD),
    ]


async def test_a_suppression_since_is_seen_at_the_claim(store: Store) -> None:
    await admit_calls(store, call())
    await store.write(partial(suppress, number=CALLER, reason="asked", source="api", now=NOON, until=None))
    (stopped,) = (await claim_actions(store, 1)).stopped
    assert (stopped.outcome, stopped.reason, stopped.timer) == (
        Outcome.DROPPED,
        Reason.SUPPRESSED_SINCE,
        None,
    )
    assert await actions(store, "state, outcome, wake_at") == [("done", "dropped", None)]


async def test_the_cap_is_held_whatever_was_planned(store: Store) -> None:
    """Three wishes in turn, planned under a cap of nine; the operator has lowered it to two since."""
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=seconds(1)))
    tight = policy(campaign(callback=callback(max_per_hour=2)))
    for n in (1, 2, 3):
        at = NOON + minutes(n)
        await admit_calls(store, call(f"c{n}", at), of=of, at=at)
        claims = await claim_actions(store, n, at=at + seconds(30), of=tight)
        if n < 3:
            assert [each.action.id for each in claims.claimed] == [n]
            await answer_action(store, Accepted(f"sid-{n}"), n, at=at + seconds(31))
            await report_outcome(store, Outcome.BUSY, n, sid=f"sid-{n}", at=at + seconds(40), of=of)
    assert [(each.action.id, each.outcome, each.reason) for each in claims.stopped] == [
        (3, Outcome.DROPPED, Reason.MAX_PER_HOUR)
    ]


@pytest.mark.parametrize(("limit", "reason"), [(1, Reason.MAX_PER_HOUR), (2, Reason.CALLER_BEING_RUNG)])
async def test_what_was_just_claimed_counts_within_the_same_claim(
    store: Store, limit: int, reason: Reason
) -> None:
    """Several that wait for one person are left by a mistake of ours at most; even so one is rung."""
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=seconds(1)))
    await admit_calls(store, *(call(f"c{n}", NOON - seconds(60 - 2 * n)) for n in range(4)), of=of)
    await store.write(
        lambda db: db.execute("UPDATE actions SET state='planned', outcome=NULL, wake_at=due_at")
    )
    claims = await claim_actions(
        store, 4, 3, 2, 1, of=policy(campaign(callback=callback(max_per_hour=limit)))
    )
    assert [each.action.id for each in claims.claimed] == [4]
    assert [(each.action.id, each.reason) for each in claims.stopped] == [(n, reason) for n in (3, 2, 1)]


async def test_what_closes_while_it_waits_is_held_at_the_claim(store: Store) -> None:
    of = policy(campaign(callback=callback(), hours=office()))
    afternoon = ist("2026-11-23 18:29")
    await admit_calls(store, call(at=afternoon), of=of, at=afternoon)
    opening = ist("2026-11-24 09:30")
    (stopped,) = (await claim_actions(store, 1, at=ist("2026-11-23 18:31"), of=of)).stopped
    assert (stopped.outcome, stopped.timer) == (None, Timer(to_us(opening), 1, Lane.VOICE))
    assert await actions(store, "state, reason, due_at, wake_at, expires_at") == [
        ("held", "business-closed", to_us(opening), to_us(opening), to_us(opening + minutes(15)))
    ]
    assert len((await claim_actions(store, 1, at=opening, of=of)).claimed) == 1


# Answers.
ANSWERS: list[tuple[Answer, tuple[object, ...], Lane | None]] = [
    (Accepted("sid-1"), ("placed", None, "provider-accepted", "sid-1", True), Lane.LOOKUP),
    (BUSY, ("planned", None, "rate-limited", None, False), Lane.VOICE),
    (
        Refused(False, "400", Reason.PROVIDER_REFUSED),
        ("done", "refused", "provider-refused", None, False),
        None,
    ),
    (LOST, ("attempting", None, "reply-lost", None, True), Lane.LOOKUP),
]


@pytest.mark.parametrize(("answer", "state", "lane"), ANSWERS)
async def test_each_answer_moves_the_action_on(
    store: Store, answer: Answer, state: tuple[object, ...], lane: Lane | None
) -> None:
    await admit_calls(store, call())
    await claim_actions(store, 1)
    wake = await answer_action(store, answer)
    columns = "state, outcome, reason, provider_sid, placed_at IS NOT NULL"
    assert await actions(store, columns) == [state]
    assert (wake.lane if wake else None) is lane
    assert await actions(store, "wake_at") == [(wake.at_us if wake else None,)]


async def test_what_was_postponed_is_due_at_its_new_instant_and_no_earlier(store: Store) -> None:
    await placed(store, BUSY)
    ((due_at, wake_at),) = await actions(store, "due_at, wake_at")
    assert due_at == wake_at >= to_us(DUE + seconds(11))
    assert (await claim_actions(store, 1, at=DUE + seconds(5))).claimed == ()
    (again,) = (await claim_actions(store, 1, at=DUE + seconds(20))).claimed
    assert again.attempt == 2


@pytest.mark.parametrize(
    "answer", [Accepted("sid-1"), LOST, BUSY, Refused(False, "400", Reason.PROVIDER_REFUSED)]
)
async def test_a_report_that_overtook_the_answer_stays(store: Store, answer: Answer) -> None:
    await admit_calls(store, call())
    await claim_actions(store, 1)
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "applied"
    assert await answer_action(store, answer) is None
    assert await actions(store, "state, outcome, reason, provider_sid, wake_at") == [
        ("done", "answered", "customer-answered", "sid-1", None)
    ]
    ((result,),) = await rows(store, "SELECT result FROM attempts")
    assert result is not None


async def test_a_do_not_disturb_refusal_of_a_call_bars_our_calls_for_a_while(store: Store) -> None:
    await placed(store, Refused(False, "403", Reason.DO_NOT_DISTURB))
    ((number, channel, source, since_us, until_us),) = await rows(
        store, "SELECT number, channel, source, since_at, until_at FROM suppressions"
    )
    assert (number, channel, source) == (CALLER, "calls", "provider")
    assert until_us - since_us == 30 * 86_400 * 1_000_000


# Reports.
async def test_the_first_final_report_decides_and_later_ones_are_kept(store: Store) -> None:
    await placed(store)
    effects = [
        (await report_outcome(store, None)).effect,
        (await report_outcome(store, Outcome.ANSWERED)).effect,
        (await report_outcome(store, Outcome.ANSWERED)).effect,
        (await report_outcome(store, Outcome.NO_ANSWER)).effect,
        (await report_outcome(store, None)).effect,
    ]
    assert effects == [
        "noted: not final",
        "applied",
        "ignored: already final",
        "ignored: already final",
        "noted: not final",
    ]
    assert (await actions(store))[0] == ("done", "answered", "customer-answered")
    assert [each[0] for each in await rows(store, "SELECT effect FROM reports ORDER BY id")] == effects


async def test_a_report_for_nothing_is_kept_and_harms_nothing(store: Store) -> None:
    assert (await report_outcome(store, Outcome.ANSWERED, 77)).effect == "ignored: no such action"
    assert await rows(store, "SELECT action_id FROM reports") == [(None,)]


async def test_a_report_of_another_kind_is_ignored(store: Store) -> None:
    await placed(store)
    assert (
        await report_outcome(store, Outcome.DELIVERED, kind=Kind.SMS)
    ).effect == "ignored: the action is a callback"
    assert await actions(store) == [("placed", None, "provider-accepted")]


async def test_a_report_before_any_attempt_is_ignored(store: Store) -> None:
    await admit_calls(store, call())
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "ignored: nothing was sent yet"
    assert await actions(store, "state, provider_sid") == [("planned", None)]


async def test_what_was_refused_for_now_and_rang_all_the_same_is_done_and_counts(store: Store) -> None:
    await placed(store, BUSY)
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "applied"
    ((state, placed_at, wake_at),) = await actions(store, "state, placed_at, wake_at")
    assert (state, wake_at) == ("done", None)
    assert placed_at is not None


async def test_an_sms_report_may_bar_such_sms(store: Store) -> None:
    of = policy(campaign(sms=sms()))
    await admit_calls(store, call(), of=of)
    await claim_actions(store, 1, of=of)
    await answer_action(store, Accepted("sms-1"), kind=Kind.SMS)
    await report_outcome(
        store, Outcome.FAILED, sid="sms-1", kind=Kind.SMS, refused=RefusedSmsClass.PROMOTIONAL
    )
    assert await rows(store, "SELECT number, channel, class, source, until_at FROM suppressions") == [
        (CALLER, "sms", "promotional", "provider", None)
    ]
    assert await actions(store) == [("done", "failed", "sms-failed")]


# Retries.
RETRYING = policy(campaign(callback=callback(retries=(minutes(5), minutes(10)), max_per_hour=3)))
FAILING = policy(campaign(callback=callback(retries=Retries(failed=(minutes(5),)))))


@pytest.mark.parametrize(
    ("outcome", "of"), [(Outcome.NO_ANSWER, RETRYING), (Outcome.BUSY, RETRYING), (Outcome.FAILED, FAILING)]
)
async def test_an_unanswered_callback_plans_the_next_one_once(
    store: Store, outcome: Outcome, of: Policy
) -> None:
    await placed(store)
    at = DUE + seconds(40)
    first = await report_outcome(store, outcome, of=of)
    assert first.timers == (Timer(to_us(at + minutes(5)), 2, Lane.VOICE),)
    assert (await report_outcome(store, outcome, of=of)).timers == ()
    assert await actions(store, "state, reason, retry_index, origin_id, due_at") == [
        (
            "done",
            {"no-answer": "customer-no-answer", "busy": "customer-busy"}.get(outcome, "call-failed"),
            0,
            None,
            to_us(DUE),
        ),
        ("planned", "retry-unanswered", 1, 1, to_us(at + minutes(5))),
    ]


@pytest.mark.parametrize(("outcome", "of"), [(Outcome.FAILED, RETRYING), (Outcome.BUSY, FAILING)])
async def test_an_outcome_without_waits_is_the_end(store: Store, outcome: Outcome, of: Policy) -> None:
    await placed(store)
    assert (await report_outcome(store, outcome, of=of)).timers == ()
    assert await actions(store, "outcome") == [(str(outcome),)]


async def test_retries_end_and_an_answer_ends_them(store: Store) -> None:
    await placed(store)
    await report_outcome(store, Outcome.NO_ANSWER, of=RETRYING)
    await claim_actions(store, 2, at=NOON + minutes(7), of=RETRYING)
    await answer_action(store, Accepted("sid-2"), 2, at=NOON + minutes(7))
    await report_outcome(store, Outcome.BUSY, 2, sid="sid-2", at=NOON + minutes(8), of=RETRYING)
    await claim_actions(store, 3, at=NOON + minutes(20), of=RETRYING)
    await answer_action(store, Accepted("sid-3"), 3, at=NOON + minutes(20))
    last = await report_outcome(store, Outcome.NO_ANSWER, 3, sid="sid-3", at=NOON + minutes(21), of=RETRYING)
    assert last.timers == ()
    assert await actions(store, "outcome") == [("no-answer",), ("busy",), ("no-answer",)]


async def test_a_retry_counts_against_the_cap(store: Store) -> None:
    tight = policy(campaign(callback=callback(retries=(minutes(5),), max_per_hour=1)))
    await placed(store)
    assert (await report_outcome(store, Outcome.NO_ANSWER, of=tight)).timers == ()
    assert (await actions(store))[1] == ("done", "dropped", "max-per-hour")


async def test_an_answered_callback_plans_nothing(store: Store) -> None:
    await placed(store)
    assert (await report_outcome(store, Outcome.ANSWERED, of=RETRYING)).timers == ()
    assert len(await actions(store)) == 1


# Look-ups.
async def test_a_found_call_is_adopted_once(store: Store) -> None:
    await placed(store, LOST)
    at = DUE + seconds(10)
    wake = await store.write(
        partial(adopt_found_call, action_id=1, provider_sid="out-1", policy=CALLBACKS, now=at)
    )
    assert wake == Timer(to_us(at + seconds(180)), 1, Lane.LOOKUP)
    assert await actions(store, "state, provider_sid, looks") == [("placed", "out-1", 0)]
    assert (
        await store.write(
            partial(adopt_found_call, action_id=1, provider_sid="out-2", policy=CALLBACKS, now=at)
        )
        is None
    )
    assert await actions(store, "provider_sid") == [("out-1",)]
    assert await store.read(partial(claimed_sids, sids=["out-1", "x"], except_action_id=2)) == {"out-1"}
    assert await store.read(partial(claimed_sids, sids=["out-1", "x"], except_action_id=1)) == set()


@pytest.mark.parametrize(
    ("answer", "looks", "reason"), [(LOST, 4, Reason.NOT_FOUND), (Accepted("sid-1"), 6, Reason.NO_REPORT)]
)
async def test_looking_in_vain_ends(store: Store, answer: Answer, looks: int, reason: Reason) -> None:
    await placed(store, answer)
    ((wake_us,),) = await actions(store, "wake_at")
    for left in range(looks, 0, -1):
        at = from_us(wake_us)
        looked = await store.write(partial(record_failed_lookup, action_id=1, policy=CALLBACKS, now=at))
        assert (looked.timers == ()) is (left == 1)
        ((wake_us,),) = await actions(store, "wake_at")
        assert [wake.at_us for wake in looked.timers] == ([wake_us] if wake_us else [])
    assert looked.expired_reason is reason
    assert await actions(store) == [("done", "unknown", str(reason))]
    late = await store.write(partial(record_failed_lookup, action_id=1, policy=CALLBACKS, now=at))
    assert (late.timers, late.expired_reason) == ((), None)
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "ignored: already final"


# A restart.
async def test_a_restart_finds_what_was_in_flight_and_never_dials_it_again(store: Store) -> None:
    of = policy(campaign(callback=callback(), webhook=WebhookPolicy("https://crm.example.in/"), sms=sms()))
    await admit_calls(store, call(), of=of)
    await claim_actions(store, 1, 2, 3, of=of)
    restart = DUE - minutes(10)  # with its clock set back, to make it hard
    assert await store.write(partial(recover_in_flight, now=restart)) == 3
    assert await store.write(partial(recover_in_flight, now=restart)) == 0
    assert await actions(store, "kind, state, wake_at, placed_at IS NULL") == [
        ("webhook", "planned", to_us(restart), 0),
        ("sms", "attempting", to_us(restart + seconds(1800)), 0),
        ("callback", "attempting", to_us(restart + seconds(5)), 0),
    ]
    again = await claim_actions(store, 1, 2, 3, at=restart + seconds(6), of=of)
    assert [(each.action.kind, each.attempt) for each in again.claimed] == [(Kind.WEBHOOK, 2)]
    wakes = await store.read(partial(timers_between, after_us=0, until_us=to_us(NOON + minutes(60))))
    assert {(each.action_id, each.lane) for each in wakes} == {(2, Lane.LOOKUP), (3, Lane.LOOKUP)}


async def test_a_lost_answer_is_no_attempt_in_flight(store: Store) -> None:
    await placed(store, LOST)
    assert await store.write(partial(recover_in_flight, now=NOON + minutes(1))) == 0


async def test_wakes_are_told_once_each_in_order(store: Store) -> None:
    await admit_calls(store, *(call(f"c{n}", NOON - seconds(n), caller=f"+9198{n:08}") for n in range(4)))
    middle = to_us(DUE - seconds(2))
    early = await store.read(partial(timers_between, after_us=0, until_us=middle))
    late = await store.read(partial(timers_between, after_us=middle, until_us=to_us(DUE)))
    assert [each.action_id for each in early] == [4, 3]
    assert [each.action_id for each in late] == [2, 1]


async def test_the_budget_remembers_the_last_minute(store: Store) -> None:
    assert await store.read(partial(recent_attempt_times, lane=Lane.VOICE, now=NOON)) == []
    await placed(store)
    assert await store.read(partial(recent_attempt_times, lane=Lane.VOICE, now=DUE + seconds(59))) == [DUE]
    assert await store.read(partial(recent_attempt_times, lane=Lane.SMS, now=DUE + seconds(59))) == []
    assert await store.read(partial(recent_attempt_times, lane=Lane.VOICE, now=DUE + seconds(61))) == []


# An operator's doings.
async def test_a_parked_webhook_is_sent_again_under_its_first_name(store: Store) -> None:
    of = policy(campaign(webhook=WebhookPolicy("https://crm.example.in/")))
    await admit_calls(store, call(), of=of)
    assert await store.write(partial(resend_webhook, action_id=1, now=DUE)) is None, "it is not parked"
    await claim_actions(store, 1, of=of)
    await answer_action(store, Refused(False, "410", Reason.ENDPOINT_REFUSED), kind=Kind.WEBHOOK)
    assert await store.write(partial(resend_webhook, action_id=1, now=DUE)) == Timer(
        to_us(DUE), 2, Lane.WEBHOOK
    )
    assert await actions(store, "state, reason, origin_id") == [
        ("done", "endpoint-refused", None),
        ("planned", "resent", 1),
    ]
    (again,) = (await claim_actions(store, 2, of=of)).claimed
    assert (again.action.origin_id, again.attempt) == (1, 1)


async def test_only_a_webhook_can_be_sent_again(store: Store) -> None:
    await placed(store, Refused(False, "400", Reason.PROVIDER_REFUSED))
    assert await store.write(partial(resend_webhook, action_id=1, now=DUE)) is None
    assert await store.write(partial(resend_webhook, action_id=77, now=DUE)) is None


async def test_a_suppression_is_one_row_and_can_be_lifted(store: Store) -> None:
    for reason, until in (("asked", None), ("asked again", NOON + minutes(5))):
        await store.write(
            partial(suppress, number=CALLER, reason=reason, source="api", now=NOON, until=until)
        )
    assert await rows(store, "SELECT number, reason, until_at FROM suppressions") == [
        (CALLER, "asked again", to_us(NOON + minutes(5)))
    ]
    assert await store.write(partial(unsuppress, number=CALLER)) is True
    assert await store.write(partial(unsuppress, number=CALLER)) is False


async def test_a_report_about_another_call_changes_nothing(store: Store) -> None:
    await placed(store)
    assert (await report_outcome(store, Outcome.NO_ANSWER, sid="stranger")).effect == "ignored: another call"
    assert (await report_outcome(store, Outcome.ANSWERED)).outcome is Outcome.ANSWERED


async def test_a_report_corrects_a_sid_that_a_look_up_guessed(store: Store) -> None:
    await placed(store, Unknown("timeout"))
    await store.write(
        partial(adopt_found_call, action_id=1, provider_sid="another", policy=CALLBACKS, now=DUE + minutes(1))
    )
    await report_outcome(store, Outcome.NO_ANSWER, sid="ours", at=DUE + minutes(2))
    assert await actions(store, "outcome, provider_sid") == [(Outcome.NO_ANSWER, "ours")]
    assert await store.read(partial(claimed_sids, sids=["another", "ours"], except_action_id=2)) == {"ours"}


async def test_who_was_reached_meanwhile_is_not_rung_again(store: Store) -> None:
    of = policy(campaign(callback=callback(max_per_hour=3), dedup_window=seconds(1)))
    await placed(store)
    later = NOON + seconds(20)
    await admit_calls(store, call("c2", later), of=of, at=later)
    applied = await report_outcome(store, Outcome.ANSWERED)
    assert [(each.id, each.outcome, each.reason) for each in applied.cancelled] == [
        (2, Outcome.CANCELLED, Reason.REACHED_OTHERWISE)
    ]
    assert (await claim_actions(store, 2, of=of, at=later + minutes(1))).claimed == ()


# What the figures need of an end.
@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (None, DUE + seconds(40)),  # the news of it
        (DUE + seconds(9), DUE + seconds(9)),
        (DUE - seconds(5), DUE),  # the provider's clock is behind ours
        (DUE + seconds(99), DUE + seconds(40)),
    ],
)
async def test_when_the_customer_answered_is_kept_within_reason(
    store: Store, told: datetime | None, kept: datetime
) -> None:
    await placed(store)
    await report_outcome(store, Outcome.ANSWERED, answered_at=told)
    assert await actions(store, "answered_at") == [(to_us(kept),)]


async def test_the_first_that_is_known_of_the_answer_stays(store: Store) -> None:
    await placed(store)
    await report_outcome(store, None, answered_at=DUE + seconds(7), at=DUE + seconds(8))
    await report_outcome(store, None, answered_at=DUE + seconds(8), at=DUE + seconds(9))
    await report_outcome(store, Outcome.ANSWERED, answered_at=DUE + seconds(9))
    await report_outcome(store, None, answered_at=DUE + seconds(1))
    assert await actions(store, "answered_at") == [(to_us(DUE + seconds(7)),)]


async def test_an_unanswered_callback_has_no_such_instant(store: Store) -> None:
    await placed(store)
    await report_outcome(store, Outcome.NO_ANSWER, answered_at=DUE + seconds(7))
    assert await actions(store, "answered_at") == [(None,)]


async def test_an_sms_ends_with_the_code_of_its_report(store: Store) -> None:
    texts = policy(campaign(sms=sms()))
    await admit_calls(store, call(), of=texts)
    await claim_actions(store, 1, of=texts)
    await answer_action(store, Accepted("sms-1"), kind=Kind.SMS)
    await report_outcome(store, Outcome.FAILED, sid="sms-1", kind=Kind.SMS, of=texts, code="23082")
    assert await actions(store, "outcome, code") == [("failed", "23082")]


async def test_a_refusal_keeps_its_code(store: Store) -> None:
    await placed(store, Refused(False, "403", Reason.PROVIDER_REFUSED))
    assert await actions(store, "outcome, code") == [("refused", "403")]
