"""Writes of single transitions: each asks the lifecycle table first and then changes one action's row."""

from __future__ import annotations

from datetime import datetime

from missedd.base.clock import to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.judgement import Hold, HoldForEvent
from missedd.core.model import Kind, Outcome, State
from missedd.core.policy import MAX_CALL_SETUP, Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_facts import encode_details
from missedd.store.actions.rows import ActionRow, Timer, lane_of
from missedd.store.db.database import Database
from missedd.store.people.leads import update_lead_after_action


async def set_timer_when_due(db: Database, action: ActionRow) -> Timer:
    """Let an action that is not due yet be checked when it is due.

    That instant may lie beyond the timers in memory: then only the row's `wake_at` brings the action back.
    """
    due_us = to_us(action.due_at)
    await db.execute(
        "UPDATE actions SET wake_at = ? WHERE id = ? AND wake_at < ?", (due_us, action.id, due_us)
    )
    return Timer(due_us, action.id, lane_of(action.kind, action.state))


async def hold(db: Database, action: ActionRow, held: Hold) -> Timer:
    """Hold an action until an instant, for example the opening hour, when it becomes due."""
    step(action.state, ActionEvent.HOLD)
    until_us = to_us(held.until)
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, due_at = ?, wake_at = ?, expires_at = ? WHERE id = ?",
        (State.HELD, held.reason, until_us, until_us, to_us(held.expires_at), action.id),
    )
    return Timer(until_us, action.id, lane_of(action.kind, State.HELD))


async def hold_for_event(db: Database, action: ActionRow, held: HoldForEvent) -> Timer:
    """Hold an action for the end of a pause, a call or a failure of the provider.

    `due_at` stays as it is, so the action keeps its place in the queue when that end comes.
    """
    step(action.state, ActionEvent.HOLD)
    recheck_us = to_us(held.recheck_at)
    expires_us = None if held.expires_at is None else to_us(held.expires_at)
    await db.execute(
        """UPDATE actions SET state = ?, reason = ?, wake_at = ?, expires_at = coalesce(?, expires_at)
           WHERE id = ?""",
        (State.HELD, held.reason, recheck_us, expires_us, action.id),
    )
    return Timer(recheck_us, action.id, lane_of(action.kind, State.HELD))


async def hold_in_quarantine(db: Database, action: ActionRow) -> None:
    """Hold an action without a timer: only an operator ends a quarantine."""
    step(action.state, ActionEvent.HOLD)
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, wake_at = NULL WHERE id = ?",
        (State.HELD, Reason.QUARANTINED, action.id),
    )


async def start_attempt(
    db: Database, action: ActionRow, policy: Policy, now: datetime, details: dict[str, str]
) -> tuple[int, int]:
    """Write an attempt before its request goes out; returns its number, which counts from 1, and how many
    requests were sent with this one."""
    state = step(action.state, ActionEvent.CLAIM)
    ((number, tries),) = await db.fetch_all(
        """SELECT coalesce(max(number), 0) + 1, count(CASE reason WHEN 'given-back' THEN NULL ELSE 1 END) + 1
           FROM attempts WHERE action_id = ?""",
        (action.id,),
    )
    await db.execute(
        "INSERT INTO attempts (action_id, number, started_at) VALUES (?, ?, ?)",
        (action.id, number, to_us(now)),
    )
    await db.execute(
        """UPDATE actions SET state = ?, wake_at = NULL, placed_at = ?, busy_until = ?, details = ?
           WHERE id = ?""",
        (state, to_us(now), _busy_until_us(action, policy, now), encode_details(details), action.id),
    )
    return number, tries


def _busy_until_us(action: ActionRow, policy: Policy, now: datetime) -> int | None:
    """When a call that is placed now is over at the latest, in microseconds since 1970 UTC."""
    campaign = policy.campaign(action.campaign)
    if action.kind is not Kind.CALLBACK or campaign is None or campaign.callback is None:
        return None
    return to_us(now + campaign.callback.longest_call + MAX_CALL_SETUP)


async def close_action(
    db: Database,
    action_id: int,
    outcome: Outcome,
    reason: Reason,
    now: datetime,
    *,
    code: str | None = None,
    answered_at: datetime | None = None,
) -> None:
    """End an action and update its lead. The caller has asked the lifecycle table whether it may end.

    `code` is the provider's, if there is one. `answered_at` is when the customer answered: the provider's
    own time if it gave one, else when the report of the answer arrived. The first known value stays.
    """
    ((kind, campaign, number),) = await db.fetch_all(
        """UPDATE actions SET state = 'done', outcome = ?, reason = ?, wake_at = NULL, closed_at = ?,
                              code = ?, answered_at = coalesce(answered_at, ?)
           WHERE id = ? RETURNING kind, campaign, number""",
        (
            outcome,
            reason,
            to_us(now),
            code,
            None if answered_at is None else to_us(answered_at),
            action_id,
        ),
    )
    await update_lead_after_action(db, Kind(kind), campaign, number, outcome, now)
