"""What follows a callback in which nobody talked with the caller.

If the agent did not answer, the next agent is called. If the caller has called again meanwhile, a callback
for that call follows. Else the callback is retried.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from missedd.base.clock import from_us, to_us
from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.judgement import Candidate
from missedd.core.admission.plans import plan_callback, plan_next_agent, plan_retry
from missedd.core.analytics.figures import is_agent_miss
from missedd.core.model import Kind, Outcome, PlannedAction
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import CAP_WINDOW
from missedd.store.actions.gate_facts import has_spoken_since_call
from missedd.store.actions.owed_callback import add_callback
from missedd.store.actions.pauses import pauses_in_force
from missedd.store.actions.rows import ActionRow, Timer, load_placed_callbacks
from missedd.store.db.database import Database


async def plan_next_callback(
    db: Database,
    action: ActionRow,
    outcome: Outcome,
    reason: Reason,
    ended_at: datetime,
    policy: Policy,
    now: datetime,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> tuple[Timer, ...]:
    """Plan the next callback as a new action, as each action is one call; returns the timers to set."""
    campaign = policy.campaign(action.campaign)
    if campaign is None or campaign.callback is None:
        return ()
    counted = await load_placed_callbacks(db, json.dumps([action.number]), now - CAP_WINDOW)
    others = [(name, at) for _, name, at in counted if name == action.campaign]
    candidate = Candidate(
        Kind.CALLBACK,
        campaign.name,
        action.plan,
        action.expires_at,
        other_callback_times=tuple(at for _, at in others),
        already_spoken_with=await has_spoken_since_call(db, action),
        number=action.number,
        exophone=action.exophone,
        clock_ahead=clock_ahead,
    )
    if is_agent_miss(outcome, reason):
        planned = plan_next_agent(policy, action.retry_index, candidate, reason, action.due_at, now)
        return await _plan_for_same_call(db, action, planned, now)
    repeat = await _latest_repeat_call(db, action, ended_at)
    if repeat is not None:
        return await _plan_for_repeat_call(db, action, repeat, campaign, others, policy, now, clock_ahead)
    retry = plan_retry(campaign, policy, action.retry_index, outcome, candidate, now)
    return () if retry is None else await _plan_for_same_call(db, action, retry, now)


async def _plan_for_same_call(
    db: Database, action: ActionRow, planned: PlannedAction, now: datetime
) -> tuple[Timer, ...]:
    # `base_at` stays: an action from before a restore stays in quarantine.
    chain_at = None if planned.retry_index > action.retry_index else action.chain_at
    planned = replace(planned, base_at=action.base_at, chain_at=chain_at)
    return await add_callback(db, planned, action, action.call_id, action.id, now)


class _RepeatCall(NamedTuple):
    """A call whose verdict was `duplicate`."""

    call_id: int
    called_at: datetime
    exophone: str


async def _latest_repeat_call(db: Database, action: ActionRow, ended_at: datetime) -> _RepeatCall | None:
    """The caller's latest call since the callback ended, if no callback is owed for that call yet.

    The caller called again before missedd knew that the callback had failed.
    """
    rows = await db.fetch_all(
        """SELECT c.id, c.called_at, c.exophone FROM calls c
           WHERE c.caller = ? AND c.campaign = ? AND c.called_at >= ? AND c.verdict = 'duplicate'
             AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.call_id = c.id AND a.kind = 'callback')
           ORDER BY c.called_at DESC, c.id DESC LIMIT 1""",
        (action.number, action.campaign, to_us(ended_at.replace(microsecond=0))),
    )
    return _RepeatCall(rows[0][0], from_us(rows[0][1]), rows[0][2]) if rows else None


async def _plan_for_repeat_call(
    db: Database,
    action: ActionRow,
    repeat_call: _RepeatCall,
    campaign: Campaign,
    others: list[tuple[str, datetime]],
    policy: Policy,
    now: datetime,
    clock_ahead: timedelta,
) -> tuple[Timer, ...]:
    history = CallerHistory(placed=others)
    pause = (await pauses_in_force(db, now)).get(campaign.name)
    timers: tuple[Timer, ...] = ()
    ends = (action.number, repeat_call.exophone)
    for planned in plan_callback(
        campaign, policy, history, pause, repeat_call.called_at, now, *ends, clock_ahead, Reason.RANG_BACK
    ):
        timers += await add_callback(
            db, planned, replace(action, exophone=repeat_call.exophone), repeat_call.call_id, None, now
        )
    return timers
