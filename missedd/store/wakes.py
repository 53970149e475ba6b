"""What the timers load, and what the dispatcher's budgets remember across a restart."""

from __future__ import annotations

from datetime import datetime

from missedd.clock import from_us, to_us
from missedd.core.model import Kind, Lane, State
from missedd.store.database import Database
from missedd.store.rows import Wake, lane_of

_LANES = {
    (kind, state): lane_of(Kind(kind), State(state))
    for kind in (Kind.CALLBACK, Kind.SMS, Kind.WEBHOOK)
    for state in (State.PLANNED, State.HELD, State.ATTEMPTING, State.PLACED)
}


async def wakes_between(db: Database, after_us: int, until_us: int) -> list[Wake]:
    """Every action to be woken for in (after, until], earliest first."""
    rows = await db.fetch_all(
        """SELECT wake_at, id, kind, state FROM actions
           WHERE wake_at > ? AND wake_at <= ? ORDER BY wake_at, id""",
        (after_us, until_us),
    )
    return [Wake(at_us, action_id, _LANES[kind, state]) for at_us, action_id, kind, state in rows]


async def last_attempt_at(db: Database, lane: Lane, now: datetime) -> datetime | None:
    """When this lane's budget was last spent, if within the past minute."""
    kinds = {Lane.VOICE: Kind.CALLBACK, Lane.SMS: Kind.SMS}
    rows = await db.fetch_all(
        """SELECT max(attempts.started_at) FROM attempts JOIN actions ON actions.id = attempts.action_id
           WHERE attempts.started_at > ? AND actions.kind = ?""",
        (to_us(now) - 60_000_000, kinds[lane]),
    )
    return None if rows[0][0] is None else from_us(rows[0][0])
