"""Record the results of lookups: for actions whose reply was lost, or that got no status report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from missedd.base.clock import to_us
from missedd.core.actions.backoff import is_early_lookup, lookup_backoff, next_early_lookup
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.model import Outcome, State
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_transitions import close_action
from missedd.store.actions.concurrent_calls import is_call_end_awaited, wake_after_call
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions, lane_of
from missedd.store.db.database import Database


async def adopt_found_call(
    db: Database, action_id: int, provider_sid: str, policy: Policy, now: datetime
) -> Timer | None:
    """Adopt the provider's call that a lookup found after a lost reply; its details are looked up later."""
    (action,) = await fetch_actions(db, [action_id])
    follows = step(action.state, ActionEvent.FOUND)
    if follows is None:
        return None
    lookup_at = now + timedelta(seconds=lookup_backoff(State.PLACED, action.kind, 0) or 0.0)
    if await is_call_end_awaited(db, action, policy):
        lookup_at = min(lookup_at, _early_lookup_at(action, policy, now))
    wake_us = to_us(lookup_at)
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, provider_sid = ?, wake_at = ?, looks = 0 WHERE id = ?",
        (follows, Reason.PROVIDER_ACCEPTED, provider_sid, wake_us, action_id),
    )
    await db.execute(
        "UPDATE attempts SET provider_sid = ? WHERE action_id = ? AND result = 'unknown'",
        (provider_sid, action_id),
    )
    return Timer(wake_us, action_id, lane_of(action.kind, follows))


@dataclass(frozen=True, slots=True)
class LookupResult:
    timers: tuple[Timer, ...] = ()
    expired_reason: Reason | None = None
    """Set if this was the last lookup, and the action ended as `unknown`."""


async def record_failed_lookup(db: Database, action_id: int, policy: Policy, now: datetime) -> LookupResult:
    """Count a lookup without a final result: wait for the next one, or end the action as `unknown`.

    An early lookup, made because a callback waits for the end of the call, does not count.
    """
    (action,) = await fetch_actions(db, [action_id])
    if action.state is State.DONE:
        return LookupResult()
    placed_at = action.placed_at or now
    counts = not is_early_lookup(action.state, action.kind, action.lookup_count, placed_at, now)
    lookup_count = action.lookup_count + counts
    wait_s = lookup_backoff(action.state, action.kind, lookup_count)
    if wait_s is None:
        step(action.state, ActionEvent.END_LOOKUPS)
        reason = Reason.NOT_FOUND if action.state is State.ATTEMPTING else Reason.NO_REPORT
        await close_action(db, action_id, Outcome.UNKNOWN, reason, now)
        return LookupResult(await wake_after_call(db, action, policy, now), reason)
    step(action.state, ActionEvent.CHECK_AGAIN)
    lookup_at = now + timedelta(seconds=wait_s)
    if await is_call_end_awaited(db, action, policy):
        lookup_at = min(lookup_at, _early_lookup_at(action, policy, now + timedelta(seconds=1)))
    wake_us = to_us(lookup_at)
    await db.execute(
        "UPDATE actions SET looks = ?, wake_at = ? WHERE id = ?", (lookup_count, wake_us, action_id)
    )
    return LookupResult((Timer(wake_us, action_id, lane_of(action.kind, action.state)),))


def _early_lookup_at(action: ActionRow, policy: Policy, now: datetime) -> datetime:
    return next_early_lookup(action.placed_at or now, policy.ring_timeout(action.campaign), now)


async def claimed_sids(db: Database, sids: list[str], except_action_id: int) -> set[str]:
    """The Sids of the provider's calls that already belong to another action."""
    rows = await db.fetch_all(
        """SELECT provider_sid FROM actions
           WHERE provider_sid IN (SELECT value FROM json_each(?)) AND id != ?""",
        (json.dumps(sids), except_action_id),
    )
    return {str(sid) for (sid,) in rows}
