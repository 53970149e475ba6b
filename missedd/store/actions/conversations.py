"""Whom a campaign has spoken with: what still waits for that person is over.

One wish, one conversation: by a callback that was answered, or by an incoming call that somebody
took. It ends what is owed for calls before it, in the transaction that records it, so that a queue
shows only whom there is a reason to ring. What was in flight then is judged at its own end: a retry
of it is none.

A flow may tell of a call before it is over, as one to call back, and then of its end: then what is
owed for that very call, its SMS too, ends as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missedd.base.clock import from_us, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.actions.claims import close_action
from missedd.store.actions.owed_callback import restore_replaced_callbacks
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions
from missedd.store.db.database import Database
from missedd.store.people.leads import mark_contacted


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """`cancelled` are the actions that this ended, `gone_out` the call's callbacks that were out by then."""

    cancelled: tuple[ActionRow, ...]
    sent_callbacks: tuple[ActionRow, ...]
    timers: tuple[Timer, ...] = ()
    """Of the callback for an earlier call whose place a cancelled one had taken."""


async def record_late_answer(db: Database, call_id: int, reason: Reason, now: datetime) -> LateAnswer:
    """Keep that a call which had been decided was taken: `reason` a conversation, or by a voicemail.

    The verdict stays, and so does what contacts nobody, and what tells the operator's own application. A
    voicemail leaves what is owed for the caller's earlier calls: nobody has spoken with them yet.
    """
    ((campaign, caller, called_us),) = await db.fetch_all(
        "UPDATE calls SET reached_at = ?, reached_by = ? WHERE id = ? RETURNING campaign, caller, called_at",
        (to_us(now), reason, call_id),
    )
    rows = await db.fetch_all(
        "SELECT id FROM actions WHERE call_id = ? AND kind IN ('sms', 'callback') ORDER BY id", (call_id,)
    )
    actions = await fetch_actions(db, [action_id for (action_id,) in rows])
    waiting = [each for each in actions if each.state in (State.PLANNED, State.HELD)]
    for each in waiting:
        step(each.state, ActionEvent.CLOSE)
        await close_action(db, each.id, Outcome.CANCELLED, Reason.REACHED_OTHERWISE, now)
    cancelled = await fetch_actions(db, [each.id for each in waiting])
    wakes: tuple[Timer, ...] = ()
    if reason is Reason.CONVERSATION and campaign is not None and caller is not None:
        cancelled += await record_conversation(db, campaign, caller, from_us(called_us), now)
    else:
        wakes = await restore_replaced_callbacks(db, cancelled, now)
    gone_out = (each for each in actions if each.kind is Kind.CALLBACK and each.placed_at is not None)
    return LateAnswer(tuple(cancelled), tuple(gone_out), wakes)


async def record_conversation(
    db: Database, campaign: str, number: str, spoken_at: datetime, now: datetime
) -> tuple[ActionRow, ...]:
    """Keep that a campaign spoke with a person; the callbacks that this cancels, as they are now."""
    await mark_contacted(db, campaign, number, now)
    # The plus: see `is_reached`.
    rows = await db.fetch_all(
        """SELECT a.id, a.state FROM actions a JOIN calls c ON c.id = a.call_id
           WHERE a.number = ? AND a.kind = 'callback' AND +a.campaign = ? AND a.state IN ('planned', 'held')
             AND c.called_at < ? ORDER BY a.id""",
        (number, campaign, to_us(spoken_at)),
    )
    for action_id, state in rows:
        step(State(state), ActionEvent.CLOSE)
        await close_action(db, action_id, Outcome.CANCELLED, Reason.REACHED_OTHERWISE, now)
    return tuple(await fetch_actions(db, [action_id for action_id, _ in rows])) if rows else ()
