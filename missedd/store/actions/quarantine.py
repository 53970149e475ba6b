"""After a restore: what was owed before it waits until an operator says what is to become of it.

Between the backup and the restore the lost daemon may have rung everybody whom the backup still
owes a call, so nothing from before the restore is sent on the backup's word alone. Attempts that
were out are looked up as at any start; what a look-up leads to waits as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missedd.base.clock import from_us, to_iso, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.actions.owed_callback import close_all_but_latest
from missedd.store.actions.rows import Timer, lane_of
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.people.leads import update_callback_outcomes

IDS_SKIPPED: Final = 100_000_000
"""How far the ids of actions move on at a restore. Those given out since the backup stand in the
addresses of status reports that may still come, and in messages that the application knows; at a
thousand new actions a second this many take a day."""


async def start_quarantine(db: Database, now: datetime) -> int:
    """Put what is planned and held under quarantine, as a unit of work; returns how much that is."""
    now_us = to_us(now)
    await db.execute("INSERT INTO restores (restored_at) VALUES (?)", (now_us,))
    for state in (State.PLANNED, State.HELD):
        step(state, ActionEvent.HOLD)
    held = await db.fetch_all(
        """UPDATE actions SET state = ?, reason = ?, wake_at = NULL
           WHERE state IN ('planned', 'held') AND base_at <= ? RETURNING 1""",
        (State.HELD, Reason.QUARANTINED, now_us),
    )
    await db.execute(
        "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'actions'",
        (IDS_SKIPPED,),
    )
    await db.execute(
        """INSERT INTO sqlite_sequence (name, seq) SELECT 'actions', ?
           WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'actions')""",
        (IDS_SKIPPED,),
    )
    return len(held)


async def quarantined_until(db: ReadOnlyDatabase) -> datetime | None:
    """The instant up to which calls are under quarantine; None while nothing is."""
    rows = await db.fetch_all("SELECT max(restored_at) FROM restores WHERE released_at IS NULL")
    return None if rows[0][0] is None else from_us(rows[0][0])


async def quarantine(db: ReadOnlyDatabase) -> dict[str, Any]:
    """How it stands, as the API shows it: `since` is the restore's instant, null while nothing waits."""
    since = await quarantined_until(db)
    waiting = await db.fetch_all(
        "SELECT count(*) FROM actions WHERE state != 'done' AND state IN ('planned', 'held') AND reason = ?",
        (Reason.QUARANTINED,),
    )
    return {"since": to_iso(since), "actions": waiting[0][0]}


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What an end of the quarantine did: how many actions it was, and when to wake for those that go on."""

    actions: int
    timers: tuple[Timer, ...] = ()


async def release_quarantine(db: Database, now: datetime, *, drop: bool) -> ReleaseResult:
    """End the quarantine: let what waits go to its gates when it is due, or drop all of it.

    Released actions keep their due and expiry instants, so what has grown too old ends at its gate.
    """
    until = await quarantined_until(db)
    if until is None:
        return ReleaseResult(0)
    await db.execute(
        "UPDATE restores SET released_at = ?, dropped = ? WHERE released_at IS NULL", (to_us(now), drop)
    )
    if drop:
        for state in (State.PLANNED, State.HELD):
            step(state, ActionEvent.CLOSE)
        # Also what has not come to its gate yet, such as a retry after a look-up.
        dropped = await db.fetch_all(
            """UPDATE actions SET state = 'done', outcome = ?, reason = ?, wake_at = NULL, closed_at = ?
               WHERE state IN ('planned', 'held') AND base_at <= ? RETURNING kind, campaign, number""",
            (Outcome.DROPPED, Reason.DROPPED_AT_RELEASE, to_us(now), to_us(until)),
        )
        called = [(campaign, number) for kind, campaign, number in dropped if kind == Kind.CALLBACK]
        await update_callback_outcomes(db, called, now)
        return ReleaseResult(len(dropped))
    follows = step(State.HELD, ActionEvent.RELEASE) or State.PLANNED
    rows = await db.fetch_all(
        """UPDATE actions SET state = ?, wake_at = due_at, reason = ? WHERE state = 'held' AND reason = ?
           RETURNING due_at, id, kind, campaign, number""",
        (follows, Reason.RELEASED, Reason.QUARANTINED),
    )
    called = [(campaign, number) for _, _, kind, campaign, number in rows if kind == Kind.CALLBACK]
    earlier = await close_all_but_latest(db, called, now)
    wakes = (Timer(due_us, action_id, lane_of(Kind(kind), follows)) for due_us, action_id, kind, *_ in rows)
    return ReleaseResult(len(rows), (*wakes, *earlier))
