"""Once a campaign has spoken with a person, cancel the callbacks that the person is still owed.

They may have spoken in a callback that was answered, or in an incoming call that somebody took. The
conversation cancels what is owed for earlier calls, in the transaction that records the conversation. So the
queue shows only people whom there is a reason to call. A callback in flight at that moment is judged when it
ends, and then it is not retried.

An Exotel flow may report a call as missed before the call is over, and then report its end. If somebody took
the call, everything owed for that very call is cancelled, its SMS too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missedd.base.clock import from_us, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.actions.action_transitions import close_action
from missedd.store.actions.owed_callback import restore_replaced_callbacks
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions
from missedd.store.db.database import Database
from missedd.store.db.lock_keys import LockKeys
from missedd.store.people.leads import mark_contacted


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """What follows if somebody took a call that had been decided as missed."""

    cancelled: tuple[ActionRow, ...]
    sent_callbacks: tuple[ActionRow, ...]
    """The call's callbacks that had been placed already."""
    timers: tuple[Timer, ...] = ()
    """Timers of callbacks for earlier calls that a cancelled callback had replaced: they are owed again."""


async def record_late_answer(db: Database, call_id: int, reason: Reason, now: datetime) -> LateAnswer:
    """Record that somebody took a call which had been decided as missed; `reason` says how.

    The verdict stays, and so do the actions that do not contact the caller, for example webhooks. A voicemail
    cancels nothing that is owed for earlier calls, as nobody has spoken with the caller yet.
    """
    ((campaign, caller, called_us),) = await db.fetch_all(
        "UPDATE calls SET reached_at = ?, reached_by = ? WHERE id = ? RETURNING campaign, caller, called_at",
        (to_us(now), reason, call_id),
    )
    # A later request about the call may name another caller, or none.
    await db.lock(LockKeys.of(caller))
    rows = await db.fetch_all(
        "SELECT id FROM actions WHERE call_id = ? AND kind IN ('sms', 'callback') ORDER BY id", (call_id,)
    )
    actions = await fetch_actions(db, [action_id for (action_id,) in rows])
    waiting = [action for action in actions if action.state in (State.PLANNED, State.HELD)]
    for action in waiting:
        step(action.state, ActionEvent.CLOSE)
        await close_action(db, action.id, Outcome.CANCELLED, Reason.REACHED_OTHERWISE, now)
    cancelled = await fetch_actions(db, [action.id for action in waiting])
    timers: tuple[Timer, ...] = ()
    if reason is Reason.CONVERSATION and campaign is not None and caller is not None:
        cancelled += await record_conversation(db, campaign, caller, from_us(called_us), now)
    else:
        timers = await restore_replaced_callbacks(db, cancelled, now)
    sent = (action for action in actions if action.kind is Kind.CALLBACK and action.placed_at is not None)
    return LateAnswer(tuple(cancelled), tuple(sent), timers)


async def record_conversation(
    db: Database, campaign: str, number: str, spoken_at: datetime, now: datetime
) -> tuple[ActionRow, ...]:
    """Record that a campaign spoke with a person; returns the callbacks that this cancelled."""
    await mark_contacted(db, campaign, number, now)
    # The plus: see `has_spoken_since_call`.
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
