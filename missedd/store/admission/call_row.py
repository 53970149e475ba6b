"""A stored call, as the engine reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missedd.base.clock import from_us
from missedd.store.db.database import Database


@dataclass(frozen=True, slots=True)
class CallRow:
    call_sid: str
    campaign: str | None
    caller: str | None
    exophone: str | None
    called_at: datetime
    received_at: datetime
    verdict: str
    reason: str


async def fetch_call(db: Database, call_id: int) -> CallRow:
    """The call of an action; it always exists, as actions refer to their calls."""
    ((sid, campaign, caller, exophone, called_us, received_us, verdict, reason),) = await db.fetch_all(
        """SELECT call_sid, campaign, caller, exophone, called_at, received_at, verdict, reason
           FROM calls WHERE id = ?""",
        (call_id,),
    )
    return CallRow(sid, campaign, caller, exophone, from_us(called_us), from_us(received_us), verdict, reason)
