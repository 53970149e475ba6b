"""Until when time has surely passed, kept over restarts: what retention counts from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from missedd.base.clock import from_us, to_us
from missedd.core.trusted_time import Past, gone_on, surely_past
from missedd.store.db.database import Database, Rows

_ASKED: Final = 1_000
"""Calls that may have told no time of their own before one that has."""


async def go_on(db: Database, now: datetime, ran: timedelta) -> datetime | None:
    """Let the daemon's running time pass, and say what is surely past; None where there is no call yet."""
    rows = await db.fetch_all("SELECT until_at, latest_call FROM past WHERE id = 1")
    kept = Past(from_us(rows[0][0]), from_us(rows[0][1])) if rows else None
    first, latest = await _told_by_calls(db, since_us=rows[0][1] if rows else 0)
    if first is None:
        return None
    kept = kept or Past(latest or first, latest or first)
    past = gone_on(kept, latest or kept.latest_call, now, ran)
    await db.execute(
        """INSERT INTO past (id, until_at, latest_call) VALUES (1, ?, ?)
           ON CONFLICT (id) DO UPDATE SET until_at = excluded.until_at, latest_call = excluded.latest_call""",
        (to_us(past.until), to_us(past.latest_call)),
    )
    return surely_past(past, now)


async def _told_by_calls(db: Rows, since_us: int) -> tuple[datetime | None, datetime | None]:
    """The first call's time, and the latest since then that a call told of itself.

    The provider tells whole seconds; a call without a time of its own got our clock's, with a fraction.
    """
    ((first_us, latest_us),) = await db.fetch_all(
        """SELECT (SELECT min(called_at) FROM calls),
                  (SELECT called_at FROM (SELECT called_at FROM calls WHERE called_at > ?
                                          ORDER BY called_at DESC LIMIT ?)
                   WHERE called_at % 1000000 = 0 ORDER BY called_at DESC LIMIT 1)""",
        (since_us, _ASKED),
    )
    return (
        None if first_us is None else from_us(first_us),
        None if latest_us is None else from_us(latest_us),
    )
