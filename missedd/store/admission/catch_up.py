"""How far the provider's list of incoming calls has been read, and which of its calls are unknown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from missedd.base.clock import from_us, to_us
from missedd.core.admission.catch_up_window import Watermark
from missedd.core.model import Verdict
from missedd.core.reasons import Reason
from missedd.store.db.database import Database

INTERIM_REASONS = (Reason.AGENT_EVENT, Reason.STILL_IN_PROGRESS, Reason.OTHER_PRODUCT)
"""Reasons of requests that arrive before the end of a call: how the call ended is still unknown."""


async def load_watermark(db: Database, now: datetime) -> Watermark:
    """The watermark of the last run. Without one it covers the calls in the database.

    A new database begins at `now`: missedd owes nothing to people who called before it was installed.
    """
    rows = await db.fetch_all("SELECT since_at, covered_until FROM catch_up WHERE id = 1")
    if not rows:
        rows = await db.fetch_all("SELECT min(received_at), max(received_at) FROM calls")
    since_us, covered_us = rows[0]
    if since_us is None:
        since_us = covered_us = to_us(now)
    # If the clock was ahead at the first start, `responsible_since` lies in the future: `now` replaces it.
    watermark = Watermark(min(from_us(since_us), now), from_us(covered_us))
    await _save_watermark(db, watermark)
    return watermark


async def advance_watermark(db: Database, watermark: Watermark) -> None:
    """Remember that all calls before the watermark are known."""
    await _save_watermark(db, watermark)


async def _save_watermark(db: Database, watermark: Watermark) -> None:
    await db.execute(
        """INSERT INTO catch_up (id, since_at, covered_until) VALUES (1, ?, ?)
           ON CONFLICT (id) DO UPDATE SET
               since_at = excluded.since_at, covered_until = excluded.covered_until""",
        (to_us(watermark.responsible_since), to_us(watermark.covered_until)),
    )


async def unknown_call_sids(db: Database, sids: Sequence[str]) -> set[str]:
    """Those of `sids` whose calls are unknown, or whose end is unknown; a reading unit."""
    rows = await db.fetch_all(
        """SELECT call_sid FROM calls WHERE call_sid IN (SELECT value FROM json_each(?))
           AND NOT (verdict = ? AND reason IN (SELECT value FROM json_each(?))
                    AND coalesce(caller, '') NOT LIKE 'erased:%')""",
        (json.dumps(list(sids)), Verdict.NOT_MISSED, json.dumps(INTERIM_REASONS)),
    )
    return set(sids) - {sid for (sid,) in rows}


async def sids_with_pending_contact(db: Database, sids: Sequence[str]) -> list[str]:
    """Those of `sids` whose calls have an SMS or a callback that is planned or held; a reading unit."""
    rows = await db.fetch_all(
        """SELECT c.call_sid FROM calls c WHERE c.call_sid IN (SELECT value FROM json_each(?))
           AND EXISTS (SELECT 1 FROM actions a WHERE a.call_id = c.id AND a.kind IN ('sms', 'callback')
                         AND a.state IN ('planned', 'held'))
           ORDER BY c.id""",
        (json.dumps(list(sids)),),
    )
    return [sid for (sid,) in rows]
