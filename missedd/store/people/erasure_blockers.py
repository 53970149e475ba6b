"""Find what blocks the erasure of a number: the action, verification or poll that lasts longest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from missedd.base.clock import to_us
from missedd.core.people.erasure import ErasureRefusal
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.db.json_values import iso_from_us


async def erasure_blocker(
    db: ReadOnlyDatabase, number: str, why: ErasureRefusal, at: datetime
) -> dict[str, Any] | None:
    """The blocker for the refusal `why` as the API shows it, as a reading unit; None if nothing blocks."""
    match why:
        case ErasureRefusal.STILL_OWED:
            return await _action(db, number)
        case ErasureRefusal.BEING_VERIFIED:
            rows = await db.fetch_all(
                """SELECT id, campaign, expires_at FROM verifications
                   WHERE number = ? AND status = 'pending' AND expires_at > ?
                   ORDER BY expires_at DESC LIMIT 1""",
                (number, to_us(at)),
            )
            return (
                {"id": rows[0][0], "campaign": rows[0][1], "expires_at": iso_from_us(rows[0][2])}
                if rows
                else None
            )
        case ErasureRefusal.POLL_OPEN:
            rows = await db.fetch_all(
                """SELECT p.poll, p.rules ->> '$.closes_at' FROM poll_rules p CROSS JOIN votes v
                   ON v.poll = p.poll AND v.number = ?
                   WHERE p.rules ->> '$.closes_at' > ? ORDER BY 2 DESC LIMIT 1""",
                (number, to_us(at)),
            )
            return {"poll": rows[0][0], "closes_at": iso_from_us(rows[0][1])} if rows else None
        case _:
            return None


async def _action(db: ReadOnlyDatabase, number: str) -> dict[str, Any] | None:
    rows = await db.fetch_all(
        """SELECT id, kind, campaign, state, reason, due_at, expires_at, wake_at, count(*) OVER ()
           FROM actions WHERE number = ? AND state != 'done'
           ORDER BY state IN ('planned', 'held'), expires_at IS NULL DESC, expires_at DESC LIMIT 1""",
        (number,),
    )
    if not rows:
        return None
    names = ("id", "kind", "campaign", "state", "reason")
    instants = {
        name: iso_from_us(value)
        for name, value in zip(("due_at", "expires_at", "wake_at"), rows[0][5:8], strict=True)
    }
    return dict(zip(names, rows[0][:5], strict=True)) | instants | {"open": rows[0][8]}
