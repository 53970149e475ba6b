"""What an operator may change by hand."""

from __future__ import annotations

from datetime import datetime

from missedd.clock import to_us
from missedd.core.model import Kind, Lane, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.database import Database
from missedd.store.rows import Wake, fetch_actions, next_id


async def unsuppress(db: Database, number: str) -> bool:
    """Take a number off the suppression list; False if it was not on it."""
    rows = await db.fetch_all("DELETE FROM suppressions WHERE number = ? RETURNING number", (number,))
    return bool(rows)


async def resend(db: Database, action_id: int, now: datetime) -> Wake | None:
    """Plan a parked webhook again, as an action that names its origin; None if there is nothing to resend.

    The message keeps the id of its first sending, so an application that did get it knows it again.
    """
    found = await fetch_actions(db, [action_id])
    if (
        not found
        or found[0].kind is not Kind.WEBHOOK
        or found[0].outcome
        not in (
            Outcome.FAILED,
            Outcome.REFUSED,
        )
    ):
        return None
    new_id = await next_id(db, "actions")
    now_us = to_us(now)
    await db.execute(
        """INSERT INTO actions (id, call_id, kind, campaign, number, exophone, state, reason, plan, origin_id,
                                base_at, due_at, wake_at, created_at)
           SELECT ?, call_id, kind, campaign, number, exophone, ?, ?, plan, coalesce(origin_id, id),
                  base_at, ?, ?, ? FROM actions WHERE id = ?""",
        (new_id, State.PLANNED, Reason.RESENT, now_us, now_us, now_us, action_id),
    )
    return Wake(now_us, new_id, Lane.WEBHOOK)
