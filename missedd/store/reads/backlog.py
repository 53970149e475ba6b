"""What is not done: how much of it there is, and what it waits for."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final

from missedd.base.clock import to_us
from missedd.core.analytics.backlog_forecast import FORECAST_MINUTES, MINUTE, Backlog, DueGroup
from missedd.core.api_types.campaigns import PendingJson
from missedd.core.model import LANE_BY_KIND, Kind
from missedd.store.db.columns import Columns
from missedd.store.db.database import ReadOnlyDatabase


async def open_action_counts(db: ReadOnlyDatabase) -> dict[str, list[PendingJson]]:
    """Counts of what is not done, by campaign; of each by kind, state and reason."""
    rows = await db.fetch_all(
        f"""SELECT a.campaign, {_PENDING.sql} FROM actions a WHERE a.state != 'done'
            GROUP BY a.campaign, a.kind, a.state, a.reason
            ORDER BY a.campaign, a.kind, a.state, a.reason"""  # noqa: S608 - constants
    )
    return {
        campaign: [_PENDING.read(row[1:]) for row in counts]
        for campaign, counts in groupby(rows, itemgetter(0))
    }


_PENDING: Final = Columns(PendingJson, "a", count="count(*)")


async def backlogs(db: ReadOnlyDatabase, now: datetime) -> dict[Kind, Backlog]:
    """What is due now and waits for its turn, and what becomes due soon, by kind."""
    now_us = to_us(now)
    rows = await db.fetch_all(
        # A quotient is cut off towards zero, which is the wrong way for what has been due for a while.
        """SELECT kind, (wake_at - ?) / 60000000 - iif(wake_at <= ?, 1, 0),
                  max(0, (expires_at - ?) / 60000000), count(*)
           FROM actions
           WHERE wake_at IS NOT NULL AND wake_at < ? AND state IN ('planned', 'held') GROUP BY 1, 2, 3""",
        (now_us, now_us, now_us, to_us(now + FORECAST_MINUTES * MINUTE)),
    )
    crowds: defaultdict[str, list[DueGroup]] = defaultdict(list)
    for kind, due, expires, n in rows:
        crowds[kind].append(DueGroup(due, expires, n))
    return {kind: Backlog(crowds[kind]) for kind in LANE_BY_KIND}
