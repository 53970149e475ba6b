"""What is refused until a person acts: SMS that every operator refuses.

They have a small index of their own, so that it costs next to nothing to look at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missedd.base.clock import to_us
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.reads.attention import COUNT_LIMIT

REFUSED_SMS_WINDOW: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RefusedSms:
    """How many SMS of a campaign every operator refuses alike; `code` is the provider's."""

    campaign: str
    code: str | None
    count: int


async def refused_sms(db: ReadOnlyDatabase, now: datetime) -> list[RefusedSms]:
    """By campaign and code, those of the last day; of the latest, at most `COUNT_LIMIT` and one."""
    rows = await db.fetch_all(
        """SELECT campaign, code FROM actions
           WHERE reason = 'sms-misconfigured' AND closed_at >= ? ORDER BY closed_at DESC LIMIT ?""",
        (to_us(now - REFUSED_SMS_WINDOW), COUNT_LIMIT + 1),
    )
    counts = Counter((campaign, code) for campaign, code in rows)
    return [RefusedSms(campaign, code, n) for (campaign, code), n in sorted(counts.items(), key=str)]
