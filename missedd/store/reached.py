"""Whom a campaign has spoken with: the callbacks that still wait for that person are over.

One wish, one conversation: by a callback that was answered, or by an incoming call that somebody
took. It ends what is owed for calls before it, in the transaction that records it, so that a queue
shows only whom there is a reason to ring. What was in flight then is judged at its own end: a retry
of it is none.
"""

from __future__ import annotations

from datetime import datetime

from missedd.clock import to_us
from missedd.core.lifecycle import Step, step
from missedd.core.model import Outcome, State
from missedd.core.reasons import Reason
from missedd.store.claims import close
from missedd.store.database import Database
from missedd.store.leads import reached
from missedd.store.rows import ActionRow, fetch_actions


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
