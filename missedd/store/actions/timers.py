"""What the engine loads at a start: timers, and the recent requests that count against the rate limits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from missedd.base.clock import from_us, to_us
from missedd.core.model import Kind, Lane, State
from missedd.core.reasons import Reason
from missedd.store.actions.rows import Timer, lane_of
from missedd.store.db.database import Database

_LANES = {
    (kind, state): lane_of(Kind(kind), State(state))
    for kind in (Kind.CALLBACK, Kind.SMS, Kind.WEBHOOK)
    for state in (State.PLANNED, State.HELD, State.ATTEMPTING, State.PLACED)
}


_LAST_ID = 2**63 - 1
_PIECE = 20_000
"""Rows fetched at a time: a million rows at once would take more memory than their timers."""


async def timers_between(db: Database, after_us: int, until_us: int) -> list[Timer]:
    """All timers with `after_us < at_us <= until_us`, earliest first."""
    timers: list[Timer] = []
    after_id = _LAST_ID
    while True:
        rows = await db.fetch_all(
            """SELECT wake_at, id, kind, state FROM actions
               WHERE (wake_at, id) > (?, ?) AND wake_at <= ? ORDER BY wake_at, id LIMIT ?""",
            (after_us, after_id, until_us, _PIECE),
        )
        timers += [Timer(at_us, action_id, _LANES[kind, state]) for at_us, action_id, kind, state in rows]
        if len(rows) < _PIECE:
            return timers
        after_us, after_id = rows[-1][:2]


async def campaigns_of_actions(db: Database, ids: Sequence[int]) -> dict[int, str]:
    """The campaign of each action of `ids` that exists."""
    rows = await db.fetch_all(
        "SELECT id, campaign FROM actions WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return dict(rows)


async def count_timers(db: Database, until_us: int) -> int:
    """The number of timers up to an instant."""
    rows = await db.fetch_all("SELECT count(*) FROM actions WHERE wake_at <= ?", (until_us,))
    return int(rows[0][0])


async def recent_attempt_times(db: Database, lane: Lane, now: datetime) -> list[datetime]:
    """When the requests of this lane went out in the last 61 seconds; what was given back never went out."""
    kinds = {Lane.VOICE: Kind.CALLBACK, Lane.SMS: Kind.SMS}
    rows = await db.fetch_all(
        """SELECT attempts.started_at FROM attempts JOIN actions ON actions.id = attempts.action_id
           WHERE attempts.started_at > ? AND actions.kind = ? AND coalesce(attempts.reason, '') != ?
           ORDER BY attempts.started_at""",
        (to_us(now) - 61_000_000, kinds[lane], Reason.GIVEN_BACK),
    )
    return [from_us(started_us) for (started_us,) in rows]


async def has_calls(db: Database) -> bool:
    """Whether a daemon has worked with this database before, so that there is a call in it."""
    return bool(await db.fetch_all("SELECT 1 FROM calls LIMIT 1"))
