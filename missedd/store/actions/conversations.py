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
from missedd.core.actions.lifecycle import Step, step
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.actions.claims import close
from missedd.store.actions.owed_callback import owe_for_earlier_call
from missedd.store.actions.rows import ActionRow, Wake, fetch_actions
from missedd.store.db.database import Database
from missedd.store.people.leads import reached


@dataclass(frozen=True, slots=True)
class Taken:
    """`cancelled` are the actions that this ended, `gone_out` the call's callbacks that were out by then."""

    cancelled: tuple[ActionRow, ...]
    gone_out: tuple[ActionRow, ...]
    wakes: tuple[Wake, ...] = ()
    """Of the callback for an earlier call whose place a cancelled one had taken."""


async def taken_after_all(db: Database, call_id: int, by: Reason, now: datetime) -> Taken:
    """Keep that a call which had been decided was taken: `by` a conversation, or by a voicemail.

    The verdict stays, and so does what contacts nobody, and what tells the operator's own application. A
    voicemail leaves what is owed for the caller's earlier calls: nobody has spoken with them yet.
    """
    ((campaign, caller, called_us),) = await db.fetch_all(
        "UPDATE calls SET reached_at = ?, reached_by = ? WHERE id = ? RETURNING campaign, caller, called_at",
        (to_us(now), by, call_id),
    )
    rows = await db.fetch_all(
        "SELECT id FROM actions WHERE call_id = ? AND kind IN ('sms', 'callback') ORDER BY id", (call_id,)
    )
    actions = await fetch_actions(db, [action_id for (action_id,) in rows])
    waiting = [each for each in actions if each.state in (State.PLANNED, State.HELD)]
    for each in waiting:
        step(each.state, Step.CLOSE)
        await close(db, each.id, Outcome.CANCELLED, Reason.REACHED_OTHERWISE, now)
    cancelled = await fetch_actions(db, [each.id for each in waiting])
    wakes: tuple[Wake, ...] = ()
    if by is Reason.CONVERSATION and campaign is not None and caller is not None:
        cancelled += await spoken_with(db, campaign, caller, from_us(called_us), now)
    else:
        wakes = await owe_for_earlier_call(db, cancelled, now)
    gone_out = (each for each in actions if each.kind is Kind.CALLBACK and each.placed_at is not None)
    return Taken(tuple(cancelled), tuple(gone_out), wakes)


async def spoken_with(
    db: Database, campaign: str, number: str, spoken_at: datetime, now: datetime
) -> tuple[ActionRow, ...]:
    """Keep that a campaign spoke with a person; the callbacks that this cancels, as they are now."""
    await reached(db, campaign, number, now)
    # The plus: see `is_reached`.
    rows = await db.fetch_all(
        """SELECT a.id, a.state FROM actions a JOIN calls c ON c.id = a.call_id
           WHERE a.number = ? AND a.kind = 'callback' AND +a.campaign = ? AND a.state IN ('planned', 'held')
             AND c.called_at < ? ORDER BY a.id""",
        (number, campaign, to_us(spoken_at)),
    )
    for action_id, state in rows:
        step(State(state), Step.CLOSE)
        await close(db, action_id, Outcome.CANCELLED, Reason.REACHED_OTHERWISE, now)
    return tuple(await fetch_actions(db, [action_id for action_id, _ in rows])) if rows else ()
