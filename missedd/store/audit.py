"""The audit record: written in the transaction that does the deed, so neither is without the other."""

from __future__ import annotations

import json
from datetime import datetime

from missedd.clock import to_us
from missedd.core.deeds import By, Deed
from missedd.store.database import Database


async def note(
    db: Database, by: By, deed: Deed, subject: str | int, now: datetime, **details: object
) -> None:
    """Keep that something was done by hand; details that are None are left out."""
    said = {name: value for name, value in details.items() if value is not None}
    await db.execute(
        "INSERT INTO audit (at, source, peer, deed, subject, details) VALUES (?, ?, ?, ?, ?, ?)",
        (to_us(now), by.source, by.peer, deed, str(subject), json.dumps(said, separators=(",", ":"))),
    )
