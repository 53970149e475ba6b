"""Changes by an operator: send webhooks again, and resolve actions whose outcome is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missedd.base.clock import to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.actions.resolution import Resolution, check_resolution
from missedd.core.model import Kind, Lane, Outcome, State
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_transitions import close_action
from missedd.store.actions.concurrent_calls import wake_after_call
from missedd.store.actions.conversations import record_conversation
from missedd.store.actions.rows import IS_PARKED, ActionRow, Timer, fetch_actions
from missedd.store.db.database import Database
from missedd.store.people.leads import update_lead_after_action

MAX_RESENT: Final = 1_000
"""The most webhooks that one command sends again: a transaction of that size is short."""


async def resend_webhook(db: Database, action_id: int, now: datetime) -> Timer | None:
    """Plan to send a failed or refused webhook again; None if `action_id` is no such webhook."""
    which = "a.id = ? AND a.kind = 'webhook' AND a.outcome IN ('failed', 'refused')"
    timers = await _plan_resends(db, which, action_id, now)
    return timers[0] if timers else None


async def resend_parked_webhooks(db: Database, now: datetime) -> list[Timer]:
    """Plan to send the latest parked webhooks again, at most `MAX_RESENT` of them."""
    return await _plan_resends(db, f"{IS_PARKED} ORDER BY a.id DESC LIMIT ?", MAX_RESENT, now)


async def _plan_resends(db: Database, which: str, param: int, now: datetime) -> list[Timer]:
    """Plan to send webhooks again, each as a new action that names its origin.

    The message keeps the id of its first sending, so an application that has it recognises the repeat.
    """
    now_us = to_us(now)
    rows = await db.fetch_all(
        f"""INSERT INTO actions (call_id, kind, campaign, number, exophone, state, reason, plan, origin_id,
                                 base_at, due_at, wake_at, details, created_at)
            SELECT call_id, kind, campaign, number, exophone, ?, ?, plan, coalesce(origin_id, id),
                   base_at, ?, ?, details, ? FROM actions a WHERE {which}
            RETURNING id""",  # noqa: S608 - ours
        (State.PLANNED, Reason.RESENT, now_us, now_us, now_us, param),
    )
    return [Timer(now_us, action_id, Lane.WEBHOOK) for (action_id,) in rows]


@dataclass(frozen=True, slots=True)
class ResolutionResult:
    resolution: Resolution
    cancelled: tuple[ActionRow, ...] = ()
    """Callbacks that are no longer needed, as the caller was reached."""
    timers: tuple[Timer, ...] = ()
    """The timers of callbacks that waited for the end of the call."""


async def resolve_unknown(
    db: Database, action_id: int, outcome: Outcome, note: str | None, policy: Policy, now: datetime
) -> ResolutionResult:
    """Record the outcome that an operator gives to an action whose outcome is unknown.

    If lookups are still going on, the action first ends as `unknown`, so that what was known stays on record.
    If a callback was answered after all, what the caller was owed before it is cancelled, as after any
    conversation.
    """
    rows = await fetch_actions(db, [action_id])
    if not rows:
        return ResolutionResult(Resolution.NO_SUCH_ACTION)
    action = rows[0]
    ((settled,),) = await db.fetch_all("SELECT settled_outcome FROM actions WHERE id = ?", (action_id,))
    # The last attempt's result is `unknown` once its reply is known to be lost, and NULL while in flight.
    attempts = await db.fetch_all(
        "SELECT result FROM attempts WHERE action_id = ? ORDER BY number DESC LIMIT 1", (action_id,)
    )
    verdict = check_resolution(
        action.kind,
        action.state,
        action.outcome,
        None if settled is None else Outcome(settled),
        outcome,
        is_lost=attempts == [("unknown",)],
    )
    if verdict is not Resolution.SETTLED:
        return ResolutionResult(verdict)
    if action.state is not State.DONE:
        step(action.state, ActionEvent.END_LOOKUPS)
        await close_action(db, action_id, Outcome.UNKNOWN, Reason.SETTLED_BY_OPERATOR, now)
    await db.execute(
        "UPDATE actions SET settled_outcome = ?, settled_at = ?, settled_note = ? WHERE id = ?",
        (outcome, to_us(now), note, action_id),
    )
    await update_lead_after_action(db, action.kind, action.campaign, action.number, outcome, now)
    timers = await wake_after_call(db, action, policy, now)
    if action.kind is not Kind.CALLBACK or outcome is not Outcome.ANSWERED:
        return ResolutionResult(verdict, timers=timers)
    # The best that is known: they talked when the callback was placed.
    spoken_at = action.placed_at or now
    cancelled = await record_conversation(db, action.campaign, action.number, spoken_at, now)
    return ResolutionResult(verdict, cancelled, timers)
