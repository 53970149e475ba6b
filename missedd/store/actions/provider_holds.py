"""What waits for the provider: the next one to find out with, and all of them once it takes requests again.

A held action is looked at again by itself only as it grows too old, so a trouble of hours costs each one
write when it is held and one when it goes on, however often the provider is asked meanwhile.
"""

# ruff: noqa: S608 - what is put into these statements are words from this room, never input

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

# In the words of the index, or it would not be used.
IS_HELD_WITH_LANE: Final = (
    "state = 'held' AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem')"
)
_KINDS: Final = {Lane.VOICE: Kind.CALLBACK, Lane.SMS: Kind.SMS}


async def choose_probe_actions(
    db: Database, lane: Lane, tried_ids: Collection[int], now: datetime, limit: int
) -> list[int]:
    """Of the held actions of a lane the `limit` freshest; those that were `tried_ids` only where no other is.

    What one action is refused for may be its own fault: then the next one is to show it. One whose instant
    lies ahead, as the wall clock was set back since, could not go.
    """
    for besides in (tried_ids, ()):
        rows = await db.fetch_all(
            f"""SELECT id FROM actions WHERE {IS_HELD_WITH_LANE} AND kind = ? AND due_at <= ?
                  AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at DESC, id DESC LIMIT ?""",
            (_KINDS[lane], to_us(now), json.dumps(list(besides)), limit),
        )
        if rows:
            return [action_id for (action_id,) in rows]
    return []


async def release_lane(db: Database, lane: Lane) -> list[Timer]:
    """Let what waits for the provider in this lane be due again, each at its own instant."""
    follows = step(State.HELD, ActionEvent.RELEASE) or State.PLANNED
    rows = await db.fetch_all(
        f"""UPDATE actions SET state = ?, reason = ?, wake_at = due_at
            WHERE {IS_HELD_WITH_LANE} AND kind = ? RETURNING wake_at, id""",
        (follows, Reason.PROVIDER_REACHABLE, _KINDS[lane]),
    )
    return [Timer(wake_us, action_id, lane_of(_KINDS[lane], follows)) for wake_us, action_id in rows]
