"""The unit of work that admits a batch of calls: read their history, decide each, write everything.

The decision happens inside the transaction that records it, so nobody else can write between reading a
caller's history and recording the decision. A batch costs five SELECTs and a handful of `executemany`,
however many calls it has. Campaigns with lists cost two more SELECTs, campaigns that verify one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.decide import decide
from missedd.core.model import Admission, InboundCall, Verdict
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.conversations import record_conversation, record_late_answer
from missedd.store.actions.pauses import pauses_in_force
from missedd.store.actions.rows import fetch_actions
from missedd.store.admission.action_batch import ActionBatch
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.admission.batch import AdmissionBatch
from missedd.store.admission.caller_history import CallerHistoryBatch
from missedd.store.admission.caller_id_campaign import attribute_returned_calls
from missedd.store.db.database import Database
from missedd.store.polls.votes import VoteBatch


async def admit(
    db: Database,
    calls: Sequence[InboundCall],
    policy: Policy,
    received_at: datetime,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> list[AdmittedCall]:
    """Decide and record `calls` in their order; a CallSid that stands twice in the batch is a redelivery.

    `received_at` is in UTC, and `clock_ahead` is how far its clock may be ahead.
    """
    calls = await attribute_returned_calls(db, calls, policy)
    batch = await AdmissionBatch.load(db, calls, policy, received_at, clock_ahead)
    admitted = [batch.decide(call) for call in calls]
    await batch.save(db)
    if batch.actions.has_changed_callbacks:
        admitted[-1] = await _add_callback_changes(db, admitted[-1], batch.actions)
    return [
        await _cancel_after_conversation(db, decided, received_at)
        if decided.admission.verdict is Verdict.NOT_MISSED
        else decided
        for decided in admitted
    ]


async def preview_admission(
    db: Database,
    call: InboundCall,
    policy: Policy,
    received_at: datetime,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> Admission:
    """Return what `admit` would decide about a call that is not known yet; writes nothing."""
    (call,) = await attribute_returned_calls(db, [call], policy)
    source = (db, [call], policy, received_at)
    history = (await CallerHistoryBatch.load(*source)).histories[call.caller or ""]
    pauses = await pauses_in_force(db, received_at)
    admission = decide(call, policy, None, history, received_at, pauses, clock_ahead)
    # No row, so no id: a vote is known by its CallSid.
    return (await VoteBatch.load(*source)).record(admission, call, call_id=0)


async def _add_callback_changes(db: Database, last: AdmittedCall, actions: ActionBatch) -> AdmittedCall:
    """The batch's last call, with what the batch changed in callbacks that had been waiting before it."""
    replaced = await fetch_actions(db, actions.replaced_ids)
    return replace(last, timers=(*last.timers, *actions.moved_up), cancelled=(*last.cancelled, *replaced))


async def _cancel_after_conversation(
    db: Database, decided: AdmittedCall, received_at: datetime
) -> AdmittedCall:
    """If somebody took the call, cancel what the caller is still owed for earlier calls."""
    admission, caller = decided.admission, decided.call.caller
    if decided.late_answered_call_id is not None:
        answer = await record_late_answer(db, decided.late_answered_call_id, admission.reason, received_at)
        return replace(
            decided,
            timers=(*decided.timers, *answer.timers),
            cancelled=(*decided.cancelled, *answer.cancelled),
            sent_callbacks=answer.sent_callbacks,
        )
    if admission.reason is not Reason.CONVERSATION or admission.campaign is None or caller is None:
        return decided
    cancelled = await record_conversation(db, admission.campaign, caller, admission.called_at, received_at)
    return replace(decided, cancelled=(*decided.cancelled, *cancelled))
