"""Looking up what became of an action of which nobody told: what is found, and what is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from missedd.base.clock import to_us
from missedd.core.actions.backoff import is_ahead_of_schedule, look_wait, next_awaited_look
from missedd.core.actions.lifecycle import Step, step
from missedd.core.model import Outcome, State
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.claims import close
from missedd.store.actions.concurrent_calls import call_ended, is_awaited
from missedd.store.actions.rows import ActionRow, Wake, fetch_actions, lane_of
from missedd.store.db.database import Database


async def found(
    db: Database, action_id: int, provider_sid: str, policy: Policy, now: datetime
) -> Wake | None:
    """Adopt a call that a look-up found for a lost answer; its details are looked at later."""
    (action,) = await fetch_actions(db, [action_id])
    follows = step(action.state, Step.FIND)
    if follows is None:
        return None
    look_at = now + timedelta(seconds=look_wait(State.PLACED, action.kind, 0) or 0.0)
    if await is_awaited(db, action, policy):
        look_at = min(look_at, _awaited_look(action, policy, now))
    wake_us = to_us(look_at)
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
    wakes: tuple[Wake, ...] = ()
    gave_up: Reason | None = None


async def looked_in_vain(db: Database, action_id: int, policy: Policy, now: datetime) -> Looked:
    """Count a look-up that brought nothing final: wait for the next one, or give up as `unknown`.

    One that was made ahead of its time, as somebody waited for it, does not count.
    """
    (action,) = await fetch_actions(db, [action_id])
    if action.state is State.DONE:
        return Looked()
    placed_at = action.placed_at or now
    counts = not is_ahead_of_schedule(action.state, action.kind, action.looks, placed_at, now)
    looks = action.looks + counts
    wait_s = look_wait(action.state, action.kind, looks)
    if wait_s is None:
        step(action.state, Step.GIVE_UP)
        reason = Reason.NOT_FOUND if action.state is State.ATTEMPTING else Reason.NO_REPORT
        await close(db, action_id, Outcome.UNKNOWN, reason, now)
        return Looked(await call_ended(db, action, policy, now), reason)
    step(action.state, Step.WAIT)
    look_at = now + timedelta(seconds=wait_s)
    if await is_awaited(db, action, policy):
        look_at = min(look_at, _awaited_look(action, policy, now + timedelta(seconds=1)))
    wake_us = to_us(look_at)
    await db.execute("UPDATE actions SET looks = ?, wake_at = ? WHERE id = ?", (looks, wake_us, action_id))
    return Looked((Wake(wake_us, action_id, lane_of(action.kind, action.state)),))


def _awaited_look(action: ActionRow, policy: Policy, now: datetime) -> datetime:
    return next_awaited_look(action.placed_at or now, policy.ring_timeout(action.campaign), now)


async def adopted_sids(db: Database, sids: list[str], except_for: int) -> set[str]:
    """Which of the provider's calls already belong to another action of ours."""
    rows = await db.fetch_all(
        """SELECT provider_sid FROM actions
           WHERE provider_sid IN (SELECT value FROM json_each(?)) AND id != ?""",
        (json.dumps(sids), except_for),
    )
    return {str(sid) for (sid,) in rows}
