"""Counting: the rows behind a campaign's figures and the gauges of the metrics.

What the figures mean is `missedd.core.analytics`' affair; here is only how they are counted.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from missedd.clock import to_us
from missedd.core.analytics import COUNTED, QUARTER_S, ActionCount, Counts, by_local_hour
from missedd.core.analytics import figures as figures_of
from missedd.store.reads_calls import Rows

_COUNTED = ", ".join(f"'{each}'" for each in COUNTED)


async def figures(
    db: Rows, campaign: str | None, since: datetime | None, until: datetime | None, timezone: str
) -> dict[str, Any]:
    """The figures of one campaign, or of all (None), for calls at or after `since` and before `until`."""
    where, params = _period("c.called_at", "c.campaign", campaign, since, until)
    rows = await db.fetch_all(
        f"""SELECT c.verdict, c.reason, c.called_at / {QUARTER_S * 1_000_000}, count(*) FROM calls c
            WHERE {where} GROUP BY 1, 2, 3""",
        params,
    )
    verdicts: Counter[tuple[str, str]] = Counter()
    quarters: Counter[int] = Counter()
    for verdict, reason, quarter, n in rows:
        verdicts[verdict, reason] += n
        if verdict in COUNTED:
            quarters[quarter] += n
    unique = await db.fetch_all(
        f"SELECT count(DISTINCT c.caller) FROM calls c WHERE {where} AND c.verdict IN ({_COUNTED})", params
    )
    actions = await db.fetch_all(
        f"""SELECT a.kind, a.state, coalesce(a.settled_outcome, a.outcome), count(*), count(a.placed_at)
            FROM calls c CROSS JOIN actions a ON a.call_id = c.id WHERE {where} GROUP BY 1, 2, 3"""
        if since or until
        else f"""SELECT c.kind, c.state, coalesce(c.settled_outcome, c.outcome), count(*), count(c.placed_at)
                 FROM actions c WHERE {where} GROUP BY 1, 2, 3""",
        params,
    )
    recovered = await db.fetch_all(
        f"""SELECT count(*) FROM calls c
            WHERE {where} AND c.shape = 'recovered' AND c.verdict IN ({_COUNTED})""",
        params,
    )
    where, params = _period("l.first_seen_at", "l.campaign", campaign, since, until)
    leads = await db.fetch_all(f"SELECT count(*) FROM leads l WHERE {where}", params)
    return figures_of(
        Counts(
            verdicts=verdicts,
            unique_callers=unique[0][0],
            hours=by_local_hour(quarters, timezone),
            actions=tuple(ActionCount(*row) for row in actions),
            leads=leads[0][0],
            recovered=recovered[0][0],
        )
    )


async def gauges(db: Rows) -> dict[str, Any]:
    """What waits and what is out, for the metrics: cheap enough to be asked for every few seconds.

    `open` counts actions that are not done by (kind, state); `next_wake_at` is in microseconds
    since 1970 UTC.
    """
    rows = await db.fetch_all(
        "SELECT kind, state, count(*) FROM actions WHERE state != 'done' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    wake = await db.fetch_all("SELECT min(wake_at) FROM actions WHERE wake_at IS NOT NULL")
    barred = await db.fetch_all("SELECT count(DISTINCT number) FROM suppressions")
    return {
        "open": {(kind, state): n for kind, state, n in rows},
        "next_wake_at": wake[0][0],
        "suppressions": barred[0][0],
    }


async def campaigns(db: Rows) -> list[str]:
    """The names under which there are calls, in order: those of the past are not in the configuration."""
    # Walks the index from name to name instead of over all calls.
    rows = await db.fetch_all(
        """WITH RECURSIVE names (name) AS (
               SELECT min(campaign) FROM calls
               UNION ALL
               SELECT (SELECT min(campaign) FROM calls WHERE campaign > name) FROM names
               WHERE name IS NOT NULL)
           SELECT name FROM names WHERE name IS NOT NULL"""
    )
    return [name for (name,) in rows]


def _period(
    time: str, campaign_column: str, campaign: str | None, since: datetime | None, until: datetime | None
) -> tuple[str, list[object]]:
    """A WHERE clause. A call that no campaign has is in no campaign's figures, nor in those of all."""
    where, params = [f"{campaign_column} IS NOT NULL"], list[object]()
    if campaign is not None:
        where.append(f"{campaign_column} = ?")
        params.append(campaign)
    if since is not None:
        where.append(f"{time} >= ?")
        params.append(to_us(since))
    if until is not None:
        where.append(f"{time} < ?")
        params.append(to_us(until))
    return " AND ".join(where), params
