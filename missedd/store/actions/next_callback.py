"""What follows a callback in which nobody talked with the caller.

The next agent, where this one did not come; a callback for a call that came in meanwhile; or a retry.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from missedd.base.clock import from_us, to_us
from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.gates import NOT_AHEAD, Candidate
from missedd.core.admission.plans import called_back, plan_next_agent, plan_retry
from missedd.core.analytics.figures import is_agent_miss
from missedd.core.model import Kind, Outcome, PlannedAction
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import WINDOW
from missedd.store.actions.gate_facts import is_reached
from missedd.store.actions.owed_callback import owe
from missedd.store.actions.pauses import pauses_in_force
from missedd.store.actions.rows import ActionRow, Wake, placed_callbacks
from missedd.store.db.database import Database


async def follow_up(
    db: Database,
    action: ActionRow,
    outcome: Outcome,
    reason: Reason,
    ended_at: datetime,
    policy: Policy,
    now: datetime,
    ahead: timedelta = NOT_AHEAD,
) -> tuple[Wake, ...]:
    """Plan what follows, as an action of its own: one action, one call."""
    campaign = policy.campaign(action.campaign)
    if campaign is None or campaign.callback is None:
        return ()
    counted = await placed_callbacks(db, json.dumps([action.number]), now - WINDOW)
    others = [(name, at) for _, name, at in counted if name == action.campaign]
    candidate = Candidate(
        Kind.CALLBACK,
        campaign.name,
        action.plan,
        action.expires_at,
        others=tuple(at for _, at in others),
        is_reached=await is_reached(db, action),
        number=action.number,
        exophone=action.exophone,
        ahead=ahead,
    )
    if is_agent_miss(outcome, reason):
        planned = plan_next_agent(policy, action.retry_index, candidate, reason, action.due_at, now)
        return await _owe_again(db, action, planned, now)
    heard = await _rang_back(db, action, ended_at)
    if heard is not None:
        return await _hear(db, action, heard, campaign, others, policy, now, ahead)
    retry = plan_retry(campaign, policy, action.retry_index, outcome, candidate, now)
    return () if retry is None else await _owe_again(db, action, retry, now)


async def _owe_again(
    db: Database, action: ActionRow, planned: PlannedAction, now: datetime
) -> tuple[Wake, ...]:
    # Owed since the callback before it was: what is under quarantine after a restore stays so.
    chain_at = None if planned.retry_index > action.retry_index else action.chain_at
    planned = replace(planned, base_at=action.base_at, chain_at=chain_at)
    return await owe(db, planned, action, action.call_id, action.id, now)


class _Heard(NamedTuple):
    """A call that was a duplicate as it came in."""

    call_id: int
    called_at: datetime
    exophone: str


async def _rang_back(db: Database, action: ActionRow, ended_at: datetime) -> _Heard | None:
    """The latest call of the caller's since the callback ended, if no callback is owed for it yet.

    They rang back before it was known that the callback had ended in vain.
    """
    rows = await db.fetch_all(
        """SELECT c.id, c.called_at, c.exophone FROM calls c
           WHERE c.caller = ? AND c.campaign = ? AND c.called_at >= ? AND c.verdict = 'duplicate'
             AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.call_id = c.id AND a.kind = 'callback')
           ORDER BY c.called_at DESC, c.id DESC LIMIT 1""",
        (action.number, action.campaign, to_us(ended_at.replace(microsecond=0))),
    )
    return _Heard(rows[0][0], from_us(rows[0][1]), rows[0][2]) if rows else None


async def _hear(
    db: Database,
    action: ActionRow,
    heard: _Heard,
    campaign: Campaign,
    others: list[tuple[str, datetime]],
    policy: Policy,
    now: datetime,
    ahead: timedelta,
) -> tuple[Wake, ...]:
    history = CallerHistory(placed=others)
    pause = (await pauses_in_force(db, now)).get(campaign.name)
    wakes: tuple[Wake, ...] = ()
    ends = (action.number, heard.exophone)
    for planned in called_back(
        campaign, policy, history, pause, heard.called_at, now, *ends, Reason.RANG_BACK, ahead
    ):
        wakes += await owe(db, planned, replace(action, exophone=heard.exophone), heard.call_id, None, now)
    return wakes
