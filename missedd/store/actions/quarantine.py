"""After a restore, actions from before it wait in quarantine until an operator releases or drops them.

Between the backup and the restore, the lost daemon may have called everybody to whom the backup still owes
a call. So nothing from before the restore is sent automatically. Attempts that were in flight are looked up
as at any start; the actions that follow from such a lookup are quarantined too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missedd.base.clock import from_us, to_iso, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.api_types.campaigns import QuarantineJson
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.actions.owed_callback import close_all_but_latest
from missedd.store.actions.rows import Timer, lane_of
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.people.leads import update_callback_outcomes

IDS_SKIPPED: Final = 100_000_000
"""How many action ids a restore skips. Ids given out since the backup stand in the URLs of status reports
that may still arrive, and in webhooks that the application has received. 100 million ids last a day at a
thousand new actions a second."""


async def start_quarantine(db: Database, now: datetime) -> int:
    """Quarantine all planned and held actions, as a unit of work; returns their number."""
    now_us = to_us(now)
    await db.execute("INSERT INTO restores (restored_at) VALUES (?)", (now_us,))
    for state in (State.PLANNED, State.HELD):
        step(state, ActionEvent.HOLD)
    held = await db.fetch_all(
        """UPDATE actions SET state = ?, reason = ?, wake_at = NULL
           WHERE state IN ('planned', 'held') AND base_at <= ? RETURNING 1""",
        (State.HELD, Reason.QUARANTINED, now_us),
    )
    await db.engine.skip_action_ids(db, IDS_SKIPPED)
    return len(held)


async def quarantined_until(db: ReadOnlyDatabase) -> datetime | None:
    """Actions of calls up to this instant are in quarantine; None without a quarantine."""
    rows = await db.fetch_all("SELECT max(restored_at) FROM restores WHERE released_at IS NULL")
    return None if rows[0][0] is None else from_us(rows[0][0])


async def quarantine(db: ReadOnlyDatabase) -> QuarantineJson:
    """The quarantine as the API shows it: `since` is when the restore was, null without a quarantine."""
    since = await quarantined_until(db)
    waiting = await db.fetch_all(
        "SELECT count(*) FROM actions WHERE state != 'done' AND state IN ('planned', 'held') AND reason = ?",
        (Reason.QUARANTINED,),
    )
    return QuarantineJson(to_iso(since), waiting[0][0])


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """How many actions the end of a quarantine released or dropped, and the timers of the released ones."""

    actions: int
    timers: tuple[Timer, ...] = ()


async def release_quarantine(db: Database, now: datetime, *, drop: bool) -> ReleaseResult:
    """End the quarantine: let the actions go to their gates when they are due, or drop all of them.

    Released actions keep `due_at` and `expires_at`, so an action that is too old ends at its gate.
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
        # Also actions that have not come to their gate yet, for example a retry after a lookup.
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
    timers = (Timer(due_us, action_id, lane_of(Kind(kind), follows)) for due_us, action_id, kind, *_ in rows)
    return ReleaseResult(len(rows), (*timers, *earlier))
