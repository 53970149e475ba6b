"""Actions that wait for a failing provider: choose one to probe with, and release all when it works again.

A held action has a timer only for its expiry. So a failure of hours costs each action one write when it is
held and one when it goes on, however often the provider is probed meanwhile.
"""

# ruff: noqa: S608 - only constants of this module are put into these statements, never input

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Final

from missedd.base.clock import to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.model import Kind, Lane, State
from missedd.core.reasons import Reason
from missedd.store.actions.rows import Timer, lane_of
from missedd.store.db.database import Database

# This condition repeats that of the partial index word for word, or SQLite would not use the index.
IS_HELD_WITH_LANE: Final = (
    "state = 'held' AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem')"
)
_KINDS: Final = {Lane.VOICE: Kind.CALLBACK, Lane.SMS: Kind.SMS}


async def choose_probe_actions(
    db: Database, lane: Lane, tried_ids: Collection[int], now: datetime, limit: int
) -> list[int]:
    """The ids of the `limit` newest held actions of a lane; those in `tried_ids` only if there are no others.

    A refusal may be one action's own fault, so another action is tried next. An action whose `due_at` lies
    ahead, because the wall clock was set back, could not go.
    """
    for excluded_ids in (tried_ids, ()):
        rows = await db.fetch_all(
            f"""SELECT id FROM actions WHERE {IS_HELD_WITH_LANE} AND kind = ? AND due_at <= ?
                  AND id NOT IN (SELECT CAST(value AS BIGINT) FROM json_each(?))
                ORDER BY due_at DESC, id DESC LIMIT ?""",
            (_KINDS[lane], to_us(now), json.dumps(list(excluded_ids)), limit),
        )
        if rows:
            return [action_id for (action_id,) in rows]
    return []


async def release_lane(db: Database, lane: Lane) -> list[Timer]:
    """Release the actions of this lane that wait for the provider; each is due at its own `due_at`."""
    follows = step(State.HELD, ActionEvent.RELEASE) or State.PLANNED
    rows = await db.fetch_all(
        f"""UPDATE actions SET state = ?, reason = ?, wake_at = due_at
            WHERE {IS_HELD_WITH_LANE} AND kind = ? RETURNING wake_at, id""",
        (follows, Reason.PROVIDER_REACHABLE, _KINDS[lane]),
    )
    return [Timer(wake_us, action_id, lane_of(_KINDS[lane], follows)) for wake_us, action_id in rows]
