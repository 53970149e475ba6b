"""Find what blocks the erasure of a number: the action, verification or poll that lasts longest."""

from __future__ import annotations

from datetime import datetime

from missedd.base.clock import to_us
from missedd.core.explain.erasure_refusal import ErasureBlocker, OpenAction, OpenPoll, PendingVerification
from missedd.core.people.erasure import ErasureRefusal
from missedd.store.db.columns import iso_from_us
from missedd.store.db.database import ReadOnlyDatabase


async def erasure_blocker(
    db: ReadOnlyDatabase, number: str, why: ErasureRefusal, at: datetime
) -> ErasureBlocker | None:
    """The blocker for the refusal `why`, as a reading unit; None if nothing blocks."""
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
            return PendingVerification(rows[0][0], rows[0][1], iso_from_us(rows[0][2])) if rows else None
        case ErasureRefusal.POLL_OPEN:
            rows = await db.fetch_all(
                """SELECT p.poll, CAST(p.rules ->> '$.closes_at' AS BIGINT)
                   FROM poll_rules p CROSS JOIN votes v
                   WHERE v.poll = p.poll AND v.number = ?
                     AND CAST(p.rules ->> '$.closes_at' AS BIGINT) > ? ORDER BY 2 DESC LIMIT 1""",
                (number, to_us(at)),
            )
            return OpenPoll(rows[0][0], iso_from_us(rows[0][1])) if rows else None
        case _:
            return None


async def _action(db: ReadOnlyDatabase, number: str) -> OpenAction | None:
    rows = await db.fetch_all(
        """SELECT id, kind, campaign, state, reason, due_at, expires_at, wake_at, count(*) OVER ()
           FROM actions WHERE number = ? AND state != 'done'
           ORDER BY state IN ('planned', 'held'), expires_at IS NULL DESC, expires_at DESC LIMIT 1""",
        (number,),
    )
    if not rows:
        return None
    action_id, kind, campaign, state, reason, due_us, expires_us, wake_us, count = rows[0]
    return OpenAction(
        action_id,
        kind,
        campaign,
        state,
        reason,
        due_at=iso_from_us(due_us),
        expires_at=None if expires_us is None else iso_from_us(expires_us),
        wake_at=None if wake_us is None else iso_from_us(wake_us),
        open=count,
    )
