"""Looking up what became of an action of which nobody told: what is found, and what is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from missedd.clock import to_us
from missedd.core.lifecycle import Step, step
from missedd.core.model import Outcome, State
from missedd.core.reasons import Reason
from missedd.core.retry import look_wait
from missedd.store.claims import close
from missedd.store.database import Database
from missedd.store.rows import Wake, fetch_actions, lane_of


async def found(db: Database, action_id: int, provider_sid: str, now: datetime) -> Wake | None:
    """Adopt a call that a look-up found for a lost answer; its details are looked at later."""
    (action,) = await fetch_actions(db, [action_id])
    follows = step(action.state, Step.FIND)
    if follows is None:
        return None
    wait_s = look_wait(State.PLACED, action.kind, 0) or 0.0
    wake_us = to_us(now + timedelta(seconds=wait_s))
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, provider_sid = ?, wake_at = ?, looks = 0 WHERE id = ?",
        (follows, Reason.PROVIDER_ACCEPTED, provider_sid, wake_us, action_id),
    )
    await db.execute(
        "UPDATE attempts SET provider_sid = ? WHERE action_id = ? AND result = 'unknown'",
        (provider_sid, action_id),
    )
    return Wake(wake_us, action_id, lane_of(action.kind, follows))


@dataclass(frozen=True, slots=True)
class Looked:
    wake: Wake | None
    gave_up: Reason | None


async def looked_in_vain(db: Database, action_id: int, now: datetime) -> Looked:
    """Count a look-up that brought nothing final: wait for the next one, or give up as `unknown`."""
    (action,) = await fetch_actions(db, [action_id])
    if action.state is State.DONE:
        return Looked(None, None)
    wait_s = look_wait(action.state, action.kind, action.looks + 1)
    if wait_s is None:
        step(action.state, Step.GIVE_UP)
        reason = Reason.NOT_FOUND if action.state is State.ATTEMPTING else Reason.NO_REPORT
        await close(db, action_id, Outcome.UNKNOWN, reason, now)
        return Looked(None, reason)
    step(action.state, Step.WAIT)
    wake_us = to_us(now + timedelta(seconds=wait_s))
    await db.execute("UPDATE actions SET looks = looks + 1, wake_at = ? WHERE id = ?", (wake_us, action_id))
    return Looked(Wake(wake_us, action_id, lane_of(action.kind, action.state)), None)


async def adopted_sids(db: Database, sids: list[str], except_for: int) -> set[str]:
    """Which of the provider's calls already belong to another action of ours."""
    rows = await db.fetch_all(
        """SELECT provider_sid FROM actions
           WHERE provider_sid IN (SELECT value FROM json_each(?)) AND id != ?""",
        (json.dumps(sids), except_for),
    )
    return {str(sid) for (sid,) in rows}
