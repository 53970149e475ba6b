"""The instant that has certainly passed, stored across restarts: retention counts from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from missedd.base.clock import from_us, to_us
from missedd.core.trusted_time import TrustedTime, advance_trusted_time, trusted_now
from missedd.store.db.database import Database, ReadOnlyDatabase

_CALLS_SEARCHED: Final = 1_000
"""How many of the latest calls are searched for one with a time of its own."""


async def update_trusted_time(db: Database, now: datetime, elapsed: timedelta) -> datetime | None:
    """Advance the trusted time by `elapsed`, the daemon's running time; returns the trusted now.

    Returns None if there is no call yet.
    """
    rows = await db.fetch_all("SELECT until_at, latest_call FROM past WHERE id = 1")
    stored = TrustedTime(from_us(rows[0][0]), from_us(rows[0][1])) if rows else None
    first, latest = await _call_times(db, since_us=rows[0][1] if rows else 0)
    if first is None:
        return None
    stored = stored or TrustedTime(latest or first, latest or first)
    past = advance_trusted_time(stored, latest or stored.latest_call, now, elapsed)
    await db.execute(
        """INSERT INTO past (id, until_at, latest_call) VALUES (1, ?, ?)
           ON CONFLICT (id) DO UPDATE SET until_at = excluded.until_at, latest_call = excluded.latest_call""",
        (to_us(past.until), to_us(past.latest_call)),
    )
    return trusted_now(past, now)


async def _call_times(db: ReadOnlyDatabase, since_us: int) -> tuple[datetime | None, datetime | None]:
    """The time of the first call, and the latest time since `since_us` that the provider gave to a call.

    The provider's times are whole seconds. A call without one got our clock's time, with a fraction.
    """
    ((first_us, latest_us),) = await db.fetch_all(
        """SELECT (SELECT min(called_at) FROM calls),
                  (SELECT called_at FROM (SELECT called_at FROM calls WHERE called_at > ?
                                          ORDER BY called_at DESC LIMIT ?) latest
                   WHERE called_at % 1000000 = 0 ORDER BY called_at DESC LIMIT 1)""",
        (since_us, _CALLS_SEARCHED),
    )
    return (
        None if first_us is None else from_us(first_us),
        None if latest_us is None else from_us(latest_us),
    )
