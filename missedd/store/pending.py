"""What is not done: how much of it there is, and what it waits for."""

from __future__ import annotations

from typing import Any

from missedd.store.reads_calls import Rows, words


async def pending(db: Rows) -> list[dict[str, Any]]:
    """Counts of what is not done, by campaign, kind, state and reason."""
    rows = await db.fetch_all(
        """SELECT campaign, kind, state, reason, count(*) FROM actions WHERE state != 'done'
           GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
    )
    return [
        {
            "campaign": campaign,
            "kind": kind,
            "state": state,
            "reason": reason,
            "reason_words": words(reason),
            "count": n,
        }
        for campaign, kind, state, reason, n in rows
    ]
