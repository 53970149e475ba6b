"""The unit that admits a batch of calls: their history is read, each is decided, all is written.

The decision happens inside the transaction that records it: between a caller's history and what
is made of it nobody else can write. A batch costs five SELECTs and a handful of `executemany`,
however many calls are in it; two more SELECTs where campaigns have lists, one where they verify.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from missedd.base.clock import to_us
from missedd.base.value_type import fast_dataclass
from missedd.core.admission.callback_merge import CallbackReplaced
from missedd.core.admission.caller_history import CallerHistory, KnownCall
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.decide import decide
from missedd.core.model import SHAPE_RECOVERED, Admission, InboundCall, Kind, State, Verdict
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.conversations import record_conversation, record_late_answer
from missedd.store.actions.owed_callback import PendingCallbackBatch, save_callback_changes
from missedd.store.actions.pauses import pauses_in_force
from missedd.store.actions.rows import (
    ActionRow,
    NewAction,
    Timer,
    fetch_actions,
    insert_actions,
    lane_of,
    next_id,
)
from missedd.store.admission.caller_history import (
    load_caller_histories,
    load_known_calls,
    match_own_callbacks,
)
from missedd.store.admission.caller_id_campaign import attribute_returned_calls
from missedd.store.db.database import Database
from missedd.store.db.json_values import compact_json
from missedd.store.people.consents import load_consent_batch
from missedd.store.people.leads import LeadKey, update_callback_outcomes
from missedd.store.people.suppressions import lift_call_refusals, save_opt_outs
from missedd.store.people.verifications import load_verification_batch
from missedd.store.polls.votes import load_vote_batch


@fast_dataclass(frozen=True, slots=True)
class AdmittedCall:
    """One decided call: the decision, and its actions that the dispatcher will have to wake for."""

    call: InboundCall
    admission: Admission
    timers: tuple[Timer, ...]
    own_callback_id: int | None = None
    """The callback of ours that a `not-missed` request is about, if it is one."""
    cancelled: tuple[ActionRow, ...] = ()
    """What is no longer owed, as somebody took this call, or it is owed a callback in another's place."""
    late_answered_call_id: int | None = None
    """The call's id where it had been decided before the proof came that somebody took it."""
    sent_callbacks: tuple[ActionRow, ...] = ()
    """Its callbacks for which that proof came too late."""


async def admit(
    db: Database,
    calls: Sequence[InboundCall],
    policy: Policy,
    received_at: datetime,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> list[AdmittedCall]:
    """Decide and record `calls`, in their order; a CallSid twice in the batch is a redelivery.

    `clock_ahead` is how far the clock of `received_at` may be ahead.
    """
    calls = await attribute_returned_calls(db, calls, policy)
    seen = await load_known_calls(db, calls)
    ours = await match_own_callbacks(db, calls)
    histories = await load_caller_histories(db, calls, policy, received_at)
    opt_outs = {caller: history.opt_out for caller, history in histories.items()}
    books = await load_consent_batch(db, calls, policy, received_at)
    pauses = await pauses_in_force(db, received_at)
    proofs = await load_verification_batch(db, calls, policy, received_at)
    ballots = await load_vote_batch(db, calls, policy)
    call_id, action_id = await next_id(db, "calls"), await next_id(db, "actions")
    admitted: list[AdmittedCall] = []
    new_calls: list[tuple[object, ...]] = []
    new_actions: list[NewAction] = []
    redelivered: list[tuple[str]] = []
    ringing: list[str] = []
    redecided: list[tuple[object, ...]] = []
    leads: list[tuple[object, ...]] = []
    owed = PendingCallbackBatch()
    for call in calls:
        known, history = seen.get(call.call_sid), histories[call.caller or ""]
        admission = decide(
            call, policy, known[1] if known else None, history, received_at, pauses, clock_ahead
        )
        if history.lift_call_refusal(admission):
            ringing.append(_number(call))
            admission = decide(call, policy, None, history, received_at, pauses, clock_ahead)
        if admission.verdict is Verdict.REDELIVERED:
            if call.shape != SHAPE_RECOVERED:
                redelivered.append((call.call_sid,))
            admitted.append(AdmittedCall(call, admission, (), ours.get(call.call_sid)))
            continue
        if known is not None and _is_late_answer(admission, known[1]):
            history.forget_accepted(admission)
            history.record_conversation(admission)
            seen[call.call_sid] = (known[0], replace(known[1], was_answered=True))
            admitted.append(
                AdmittedCall(call, admission, (), ours.get(call.call_sid), late_answered_call_id=known[0])
            )
            continue
        history.record_accepted(admission)
        if admission.reason is Reason.CONVERSATION:
            history.record_conversation(admission)
        if known is None:
            this_call = call_id
            call_id += 1
            new_calls.append((this_call, *_call_row(call, admission, received_at)))
        else:
            this_call = known[0]
            redecided.append((*_call_row(call, admission, received_at)[1:], this_call))
        seen[call.call_sid] = (this_call, KnownCall(admission.verdict, admission.reason))
        if admission.actions:
            admission = books.record(admission, _number(call), this_call)
            admission = proofs.record(admission, policy, _number(call), this_call, received_at)
            admission = ballots.record(admission, call)
            _record_list_events(history, admission, policy, this_call, received_at)
        wakes: list[Timer] = []
        for planned in admission.actions:
            if planned.kind is Kind.CALLBACK and planned.state is not State.DONE:
                planned = owed.merge(_number(call), history, admission, planned, action_id)
            new_actions.append(NewAction(action_id, this_call, _number(call), admission, planned))
            if planned.state is not State.DONE:
                wakes.append(Timer(to_us(planned.wake_at), action_id, lane_of(planned.kind, planned.state)))
            action_id += 1
        leads += _lead_rows(call, admission, policy, this_call, received_at)
        admitted.append(AdmittedCall(call, admission, tuple(wakes), ours.get(call.call_sid)))
    await db.executemany(_INSERT_CALL, new_calls)
    await db.executemany(_REDECIDE_CALL, redecided)
    await insert_actions(db, new_actions, received_at)
    hastened = await save_callback_changes(db, owed.changes, received_at)
    await db.executemany(_COUNT_REDELIVERY, redelivered)
    await db.executemany(_UPSERT_LEAD, leads)
    await books.save(db)
    await proofs.save(db)
    await save_opt_outs(
        db,
        {
            caller: history.opt_out
            for caller, history in histories.items()
            if history.opt_out != opt_outs.get(caller)
        },
    )
    await lift_call_refusals(db, ringing)
    await update_callback_outcomes(db, [*_closed_when_planned(new_actions), *owed.changed_leads], received_at)
    await ballots.save(db)
    if owed.changes:
        admitted[-1] = await _with_callback_changes(db, admitted[-1], owed, hastened)
    return [
        await _cancel_after_conversation(db, each, received_at)
        if each.admission.verdict is Verdict.NOT_MISSED
        else each
        for each in admitted
    ]


async def preview_admission(
    db: Database,
    call: InboundCall,
    policy: Policy,
    received_at: datetime,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> Admission:
    """What would be decided about a call that is not known yet, with nothing written."""
    (call,) = await attribute_returned_calls(db, [call], policy)
    histories = await load_caller_histories(db, [call], policy, received_at)
    pauses = await pauses_in_force(db, received_at)
    admission = decide(call, policy, None, histories[call.caller or ""], received_at, pauses, clock_ahead)
    return (await load_vote_batch(db, [call], policy)).record(admission, call)


_INSERT_CALL = """
INSERT INTO calls
    (id, call_sid, campaign, caller, exophone, called_at, received_at, verdict, reason, shape, fields)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_REDECIDE_CALL = """
UPDATE calls SET campaign = ?, caller = ?, exophone = ?, called_at = ?, received_at = ?, verdict = ?,
                 reason = ?, shape = ?, fields = ?
WHERE id = ?"""
_COUNT_REDELIVERY = "UPDATE calls SET redeliveries = redeliveries + 1 WHERE call_sid = ?"
_UPSERT_LEAD = """
INSERT INTO leads (campaign, number, source, first_seen_at, last_seen_at, count, first_call_id, updated_at)
VALUES (?, ?, ?, ?, ?, 1, ?, ?)
ON CONFLICT (campaign, number) DO UPDATE SET
    first_seen_at = min(first_seen_at, excluded.first_seen_at),
    last_seen_at = max(last_seen_at, excluded.last_seen_at),
    count = count + 1,
    updated_at = excluded.updated_at"""


def _is_late_answer(admission: Admission, seen: KnownCall) -> bool:
    return admission.verdict is Verdict.NOT_MISSED and seen.verdict is not Verdict.NOT_MISSED


def _call_row(call: InboundCall, admission: Admission, received_at: datetime) -> tuple[object, ...]:
    return (
        call.call_sid,
        admission.campaign,
        call.caller,
        admission.exophone,
        to_us(admission.called_at),
        to_us(received_at),
        admission.verdict,
        admission.reason,
        call.shape,
        compact_json(dict(call.fields)),
    )


def _number(call: InboundCall) -> str:
    if call.caller is None:
        raise AssertionError("a call without a caller's number leads to no action")
    return call.caller


def _record_list_events(
    history: CallerHistory, admission: Admission, policy: Policy, call_id: int, received_at: datetime
) -> None:
    campaign = policy.campaign(admission.campaign or "")
    if campaign is not None:
        history.record_list_events(admission, campaign, call_id, received_at)


def _lead_rows(
    call: InboundCall, admission: Admission, policy: Policy, call_id: int, received_at: datetime
) -> list[tuple[object, ...]]:
    """A lead is a person of a campaign: a duplicate call is that person ringing again, so it counts too."""
    if admission.verdict not in (Verdict.ACCEPTED, Verdict.DUPLICATE) or admission.campaign is None:
        return []
    campaign = policy.campaign(admission.campaign)
    if campaign is None or campaign.lead_source is None:
        return []
    at = to_us(admission.called_at)
    return [(campaign.name, call.caller, campaign.lead_source, at, at, call_id, to_us(received_at))]


async def _with_callback_changes(
    db: Database, last: AdmittedCall, owed: PendingCallbackBatch, hastened: tuple[Timer, ...]
) -> AdmittedCall:
    """What a batch changed in callbacks that waited before it, told with its last call."""
    replaced = [change.action_id for change in owed.changes if isinstance(change, CallbackReplaced)]
    closed = tuple(await fetch_actions(db, replaced))
    return replace(last, timers=(*last.timers, *hastened), cancelled=(*last.cancelled, *closed))


async def _cancel_after_conversation(
    db: Database, decided: AdmittedCall, received_at: datetime
) -> AdmittedCall:
    """A call that was not missed, if somebody took it, ends what its caller's earlier ones are owed."""
    admission, caller = decided.admission, decided.call.caller
    if decided.late_answered_call_id is not None:
        taken = await record_late_answer(db, decided.late_answered_call_id, admission.reason, received_at)
        return replace(
            decided,
            timers=(*decided.timers, *taken.timers),
            cancelled=(*decided.cancelled, *taken.cancelled),
            sent_callbacks=taken.sent_callbacks,
        )
    if admission.reason is not Reason.CONVERSATION or admission.campaign is None or caller is None:
        return decided
    cancelled = await record_conversation(db, admission.campaign, caller, admission.called_at, received_at)
    return replace(decided, cancelled=(*decided.cancelled, *cancelled))


def _closed_when_planned(actions: Sequence[NewAction]) -> Iterator[LeadKey]:
    """Whose callbacks a gate ended when they were planned."""
    for each in actions:
        if each.planned.kind is Kind.CALLBACK and each.planned.state is State.DONE:
            yield each.admission.campaign or "", each.number
