"""Ongoing calls of the account: read them for the gates, and wake waiting callbacks when a call ends.

A callback that waits for the end of a call is woken in the transaction that records that end, and at the
latest when the call must be over. Nothing is polled meanwhile.
"""

# ruff: noqa: S608 - only constants of this module are put into these statements, never input

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from missedd.base.clock import from_us, to_us
from missedd.core.actions.backoff import next_early_lookup
from missedd.core.admission.concurrent_calls import OngoingCall, TrafficSnapshot, competing_campaigns
from missedd.core.model import Kind, State
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.agent_misses import load_agent_misses
from missedd.store.actions.rows import ActionRow, Timer, lane_of
from missedd.store.db.database import Database
from missedd.store.db.lock_keys import EVERYTHING, LockKeys

# These conditions repeat those of the partial indexes word for word, or SQLite would not use the indexes. An
# unknown outcome does not prove that the call is over, so the call counts as ongoing until it must be over.
_IS_ONGOING: Final = "kind = 'callback' AND state IN ('attempting', 'placed')"
_MAY_BE_ONGOING: Final = "outcome = 'unknown' AND settled_outcome IS NULL AND kind = 'callback'"
IS_WAITING_CALLBACK: Final = """kind = 'callback' AND state = 'held' AND reason IN (
    'caller-being-rung', 'agent-busy', 'calls-at-once', 'channels-busy', 'agent-no-answer', 'agent-failed')"""
_WAITS_FOR_AGENT: Final = "reason = 'agent-busy' AND campaign IN (SELECT value FROM json_each(?))"
_OLDEST_FIRST: Final = "ORDER BY coalesce(chain_at, base_at), id"


async def load_ongoing_traffic(
    db: Database, actions: Sequence[ActionRow], policy: Policy, now: datetime
) -> TrafficSnapshot:
    """The ongoing calls that the gates of these callbacks depend on."""
    callbacks = [action for action in actions if action.kind is Kind.CALLBACK]
    if not callbacks:
        return TrafficSnapshot()
    campaigns = {action.campaign: policy.campaign(action.campaign) for action in callbacks}
    agents = {
        agent.number
        for campaign in campaigns.values()
        if campaign is not None and campaign.callback is not None
        for agent in campaign.callback.agents
    }
    numbers = json.dumps(sorted(agents | {action.number for action in callbacks}))
    rows = await db.fetch_all(
        f"""SELECT id, campaign, number, agent, busy_until FROM (
                SELECT id, campaign, number, details ->> 'agent' AS agent, busy_until FROM actions
                WHERE {_IS_ONGOING}
                UNION ALL
                SELECT id, campaign, number, details ->> 'agent', busy_until FROM actions
                WHERE {_MAY_BE_ONGOING} AND busy_until > ?) ongoing
            WHERE busy_until > ? AND (? = 1 OR campaign IN (SELECT value FROM json_each(?))
               OR number IN (SELECT value FROM json_each(?))
               OR agent IN (SELECT value FROM json_each(?)))""",
        (
            to_us(now),
            to_us(now),
            policy.channels is not None,
            json.dumps(_limited_campaigns(policy, campaigns)),
            numbers,
            numbers,
        ),
    )
    calls = [
        OngoingCall(action_id, campaign, number, agent, from_us(until_us))
        for action_id, campaign, number, agent, until_us in rows
    ]
    if not agents:
        return TrafficSnapshot(calls)
    turns = await db.fetch_all(
        "SELECT campaign, agent FROM agent_turns WHERE campaign IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(campaigns)),),
    )
    return TrafficSnapshot(calls, dict(turns), await load_agent_misses(db, agents))


def _limited_campaigns(policy: Policy, campaigns: Iterable[str]) -> list[str]:
    return sorted(name for name in campaigns if any(competing_campaigns(name, None, policy)))


async def earliest_competitor(
    db: Database, action: ActionRow, agent: str | None, policy: Policy, now: datetime, judged: Iterable[int]
) -> int | None:
    """The callback that has waited longest for the capacity that this one is about to take; None if this one.

    Callbacks that wait for something else do not compete. The `judged` ones, which may not go now, do not
    compete either.
    """
    if action.kind is not Kind.CALLBACK:
        return None
    excluded = json.dumps(sorted(judged))
    competitors: list[tuple[int, int]] = []
    for reason, campaigns in competing_campaigns(action.campaign, agent, policy):
        competitors += await db.fetch_all(
            f"""SELECT age, id FROM (
                    SELECT coalesce(chain_at, base_at) AS age, id, +campaign AS name, expires_at FROM actions
                    WHERE wake_at <= ? AND kind = 'callback' AND state IN ('planned', 'held') AND due_at <= ?
                    UNION ALL
                    SELECT coalesce(chain_at, base_at), id, +campaign, expires_at FROM actions
                    WHERE {IS_WAITING_CALLBACK} AND reason = ? AND due_at <= ?) waiting
                WHERE name IN (SELECT value FROM json_each(?)) AND expires_at >= ?
                  AND id NOT IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY age, id LIMIT 1""",
            (to_us(now), to_us(now), reason, to_us(now), json.dumps(campaigns), to_us(now), excluded),
        )
    earliest = min(competitors, default=(0, action.id))[1]
    return None if earliest == action.id else earliest


async def wake_after_call(
    db: Database, action: ActionRow, policy: Policy, now: datetime
) -> tuple[Timer, ...]:
    """Wake the callbacks that wait for the end of this action's call, or for the capacity that it frees."""
    if action.kind is not Kind.CALLBACK:
        return ()
    agent = action.details.get("agent")
    numbers = [number for number in (action.number, agent) if number is not None]
    woken = await _wake_waiting(
        db,
        "reason = 'caller-being-rung' AND number IN (SELECT value FROM json_each(?))",
        (json.dumps(numbers),),
        now,
        own_number=action.number,
    )
    woken += await wake_next_for_capacity(db, action.campaign, agent, policy, now)
    # A caller may also be an agent of a campaign, and was busy as that agent during this call.
    if sharing := policy.campaigns_with_agent(action.number):
        woken += await _wake_waiting(db, _WAITS_FOR_AGENT, (json.dumps(sharing),), now)
    return tuple(woken)


async def wake_after_agent_rest(db: Database, agent: str, policy: Policy, now: datetime) -> tuple[Timer, ...]:
    """Wake the callbacks that wait for the end of an agent's rest, as the agent takes calls again."""
    campaigns = json.dumps(policy.campaigns_with_agent(agent))
    condition = """reason IN ('agent-no-answer', 'agent-failed', 'agent-busy')
                   AND campaign IN (SELECT value FROM json_each(?))"""
    return tuple(await _wake_waiting(db, condition, (campaigns,), now))


async def shorten_busy_until(db: Database, action: ActionRow, policy: Policy, now: datetime) -> None:
    """Shorten `busy_until`: the provider has accepted the call, so it rings already and ends sooner."""
    campaign = policy.campaign(action.campaign)
    if campaign is not None and campaign.callback is not None:
        until_us = to_us(now + campaign.callback.longest_call)
        await db.execute(
            "UPDATE actions SET busy_until = min(busy_until, ?) WHERE id = ?", (until_us, action.id)
        )


async def wake_next_for_capacity(
    db: Database,
    campaign: str,
    agent: str | None,
    policy: Policy,
    now: datetime,
    after: ActionRow | None = None,
) -> list[Timer]:
    """Wake the callback that has waited longest for capacity of this campaign, this agent or the account.

    `after` is a callback that could not use the capacity: then the next one in line is woken.
    """
    age_us = -1 if after is None else to_us(after.chain_at or after.base_at)
    woken: list[Timer] = []
    for reason, campaigns in competing_campaigns(campaign, agent, policy):
        freed = 2 if reason is Reason.CHANNELS_BUSY and agent is not None else 1
        woken += await _wake_waiting(
            db,
            f"""id IN (SELECT id FROM actions WHERE {IS_WAITING_CALLBACK} AND reason = ? AND wake_at > ?
                       AND campaign IN (SELECT value FROM json_each(?))
                       AND (coalesce(chain_at, base_at), id) > (?, ?) {_OLDEST_FIRST} LIMIT ?)""",
            (reason, to_us(now), json.dumps(campaigns), age_us, after.id if after else 0, freed),
            now,
        )
    return woken


async def pass_capacity_on(db: Database, action: ActionRow, policy: Policy, now: datetime) -> list[Timer]:
    """Wake the next callbacks in line, as one that was woken for free capacity did not use it."""
    campaign = policy.campaign(action.campaign)
    agents = campaign.callback.agents if campaign and campaign.callback else ()
    woken: list[Timer] = []
    for number in (agent.number for agent in agents) if agents else (None,):
        woken += await wake_next_for_capacity(db, action.campaign, number, policy, now, after=action)
    return woken


async def wake_all_waiting_callbacks(db: Database, now: datetime) -> int:
    """Wake all waiting callbacks at a start, as what they wait for may be over; returns how many."""
    return len(await _wake_waiting(db, "1 = 1", (), now))


async def _wake_waiting(
    db: Database,
    condition: str,
    parameters: tuple[object, ...],
    now: datetime,
    own_number: str | None = None,
) -> list[Timer]:
    """Wake the waiting callbacks of a condition; those to `own_number` are the unit's own to change."""
    rows = await db.fetch_all(
        f"UPDATE actions SET wake_at = ? WHERE {IS_WAITING_CALLBACK} AND {condition} RETURNING id, number",
        (to_us(now), *parameters),
    )
    if any(number != own_number for _, number in rows):
        await db.lock(EVERYTHING)
    return [Timer(to_us(now), action_id, lane_of(Kind.CALLBACK, State.HELD)) for action_id, _ in rows]


async def schedule_early_lookups(
    db: Database, calls: Iterable[OngoingCall], policy: Policy, now: datetime
) -> list[Timer]:
    """Look up the results of these calls earlier than planned, as callbacks wait for their ends."""
    timers: list[Timer] = []
    for call in calls:
        await db.lock(LockKeys.of(call.number))
        rows = await db.fetch_all(
            f"SELECT placed_at, wake_at FROM actions WHERE id = ? AND {_IS_ONGOING}", (call.action_id,)
        )
        for placed_us, wake_us in rows:
            lookup_us = to_us(next_early_lookup(from_us(placed_us), policy.ring_timeout(call.campaign), now))
            # An action without a timer has its request in flight at the moment.
            if wake_us is not None and lookup_us < wake_us:
                await db.execute("UPDATE actions SET wake_at = ? WHERE id = ?", (lookup_us, call.action_id))
                timers.append(Timer(lookup_us, call.action_id, lane_of(Kind.CALLBACK, State.PLACED)))
    return timers


async def is_call_end_awaited(db: Database, action: ActionRow, policy: Policy) -> bool:
    """Whether a callback waits for the end of this action's call."""
    if action.kind is not Kind.CALLBACK:
        return False
    agent = action.details.get("agent")
    waiting = await db.fetch_all(
        f"""SELECT 1 FROM actions WHERE {IS_WAITING_CALLBACK}
              AND ((reason = 'caller-being-rung' AND number IN (?, ?)) OR ({_WAITS_FOR_AGENT})) LIMIT 1""",
        (action.number, agent, json.dumps(policy.campaigns_with_agent(action.number))),
    )
    for reason, campaigns in () if waiting else competing_campaigns(action.campaign, agent, policy):
        waiting += await db.fetch_all(
            f"""SELECT 1 FROM actions WHERE {IS_WAITING_CALLBACK} AND reason = ?
                  AND campaign IN (SELECT value FROM json_each(?)) LIMIT 1""",
            (reason, json.dumps(campaigns)),
        )
    return bool(waiting)
