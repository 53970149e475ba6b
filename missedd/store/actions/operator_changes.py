"""What an operator may change by hand."""

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
from missedd.store.actions.claims import close_action
from missedd.store.actions.concurrent_calls import wake_after_call
from missedd.store.actions.conversations import record_conversation
from missedd.store.actions.rows import IS_PARKED, ActionRow, Timer, fetch_actions
from missedd.store.db.database import Database
from missedd.store.people.leads import update_lead_after_action

MAX_RESENT: Final = 1_000
"""Webhooks that are sent again by one word: what a transaction takes easily."""


async def resend_webhook(db: Database, action_id: int, now: datetime) -> Timer | None:
    """Plan a webhook that was not taken again; None if there is nothing to resend."""
    which = "a.id = ? AND a.kind = 'webhook' AND a.outcome IN ('failed', 'refused')"
    wakes = await _plan_resends(db, which, action_id, now)
    return wakes[0] if wakes else None


async def resend_parked_webhooks(db: Database, now: datetime) -> list[Timer]:
    """Plan the latest parked webhooks again, `MAX_RESENT` of them."""
    return await _plan_resends(db, f"{IS_PARKED} ORDER BY a.id DESC LIMIT ?", MAX_RESENT, now)


async def _plan_resends(db: Database, which: str, param: int, now: datetime) -> list[Timer]:
    """Plan webhooks again, each as an action that names its origin.

    A message keeps the id of its first sending, so an application that did get it knows it again.
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
    """Of callbacks that waited for the end of the call."""


async def resolve_unknown(
    db: Database, action_id: int, outcome: Outcome, note: str | None, policy: Policy, now: datetime
) -> ResolutionResult:
    """Keep what an operator says became of an action whose outcome is unknown.

    One that is still looked for ends as `unknown` first: what the daemon knew stays on record. A callback
    that was answered after all ends what the caller was owed before it, as any conversation does.
    """
    found = await fetch_actions(db, [action_id])
    if not found:
        return ResolutionResult(Resolution.NO_SUCH_ACTION)
    action = found[0]
    ((settled,),) = await db.fetch_all("SELECT settled_outcome FROM actions WHERE id = ?", (action_id,))
    # The last attempt's result is set once its answer is known to be lost; in flight it is empty.
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
    wakes = await wake_after_call(db, action, policy, now)
    if action.kind is not Kind.CALLBACK or outcome is not Outcome.ANSWERED:
        return ResolutionResult(verdict, timers=wakes)
    # They talked when it rang, as far as anybody knows.
    spoken_at = action.placed_at or now
    cancelled = await record_conversation(db, action.campaign, action.number, spoken_at, now)
    return ResolutionResult(verdict, cancelled, wakes)
