"""How far the provider's list of incoming calls has been read, and which of its calls are news."""

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
"""What was said of a call before its end: how it ended may be news."""


async def load_watermark(db: Database, now: datetime) -> Watermark:
    """The mark where the last run left it; in a database that has none, where its calls end.

    A new database begins now: who rang before missedd was there is owed nothing by it.
    """
    rows = await db.fetch_all("SELECT since_at, covered_until FROM catch_up WHERE id = 1")
    if not rows:
        rows = await db.fetch_all("SELECT min(received_at), max(received_at) FROM calls")
    since_us, covered_us = rows[0]
    if since_us is None:
        since_us = covered_us = to_us(now)
    # A first start by a clock that ran ahead must not keep it from working until then.
    mark = Watermark(min(from_us(since_us), now), from_us(covered_us))
    await _save_watermark(db, mark)
    return mark


async def advance_watermark(db: Database, watermark: Watermark) -> None:
    """Remember that all calls before the mark are known."""
    await _save_watermark(db, watermark)


async def _save_watermark(db: Database, watermark: Watermark) -> None:
    await db.execute(
        """INSERT INTO catch_up (id, since_at, covered_until) VALUES (1, ?, ?)
           ON CONFLICT (id) DO UPDATE SET
               since_at = excluded.since_at, covered_until = excluded.covered_until""",
        (to_us(watermark.responsible_since), to_us(watermark.covered_until)),
    )


async def unknown_call_sids(db: Database, sids: Sequence[str]) -> set[str]:
    """Those of `sids` that no call is known by, or none that was known to its end; a reading unit."""
    rows = await db.fetch_all(
        """SELECT call_sid FROM calls WHERE call_sid IN (SELECT value FROM json_each(?))
           AND NOT (verdict = ? AND reason IN (SELECT value FROM json_each(?))
                    AND coalesce(caller, '') NOT GLOB 'erased:*')""",
        (json.dumps(list(sids)), Verdict.NOT_MISSED, json.dumps(INTERIM_REASONS)),
    )
    return set(sids) - {sid for (sid,) in rows}


async def sids_with_pending_contact(db: Database, sids: Sequence[str]) -> list[str]:
    """Those of `sids` whose calls are still owed an SMS or a callback that is not out; a reading unit."""
    rows = await db.fetch_all(
        """SELECT c.call_sid FROM calls c WHERE c.call_sid IN (SELECT value FROM json_each(?))
           AND EXISTS (SELECT 1 FROM actions a WHERE a.call_id = c.id AND a.kind IN ('sms', 'callback')
                         AND a.state IN ('planned', 'held'))
           ORDER BY c.id""",
        (json.dumps(list(sids)),),
    )
    return [sid for (sid,) in rows]
