"""A campaign with three agents, and callbacks that one of them misses."""

from __future__ import annotations

from datetime import datetime, timedelta

from missedd.core.agent_rotation import Agent
from missedd.core.model import Outcome
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.status_reports import ReportResult
from missedd.store.store import Store
from tests.core.campaigns import AGENTS, CALLER, NOON, call, callback, campaign, minutes, policy, seconds
from tests.store.steps import DUE, admit_calls, end_callback, rows

FIRST, SECOND, LAST = AGENTS
TICK = timedelta(microseconds=1)


def team(*agents: str | Agent, **changes: object) -> Policy:
    return policy(
        campaign(
            lead_source="x",
            callback=callback(flow=None, agents=agents or AGENTS, **changes),
            dedup_window=TICK,
        )
    )


TEAM = team(max_per_hour=1, retries=(minutes(5),))
ALONE = team(FIRST, max_per_hour=9)
FIRST_CALLBACK = 2
"""After the lead of the call."""
MISSED_AT = DUE + seconds(31)


async def rang(
    store: Store, of: Policy = TEAM, at: datetime = NOON, caller: str = CALLER, sid: str = "c1"
) -> int:
    """A call; the id of its callback."""
    await admit_calls(store, call(sid, at, caller=caller), of=of, at=at)
    ((action_id,),) = await rows(store, "SELECT max(id) FROM actions WHERE kind = 'callback'")
    return int(action_id)


async def misses(
    store: Store,
    action_id: int = FIRST_CALLBACK,
    at: datetime = MISSED_AT,
    of: Policy = TEAM,
    reason: Reason = Reason.AGENT_NO_ANSWER,
    ended_at: datetime | None = None,
) -> ReportResult:
    """The agent of a callback that is out does not take it, of which is told at `at`."""
    return await end_callback(
        store, Outcome.FAILED, action_id, at=at, of=of, reason=reason, ended_at=ended_at or at
    )


async def tried(store: Store) -> list[tuple[object, ...]]:
    return await rows(
        store, "SELECT details ->> 'agent', outcome FROM actions WHERE kind = 'callback' ORDER BY id"
    )


async def left_alone(store: Store) -> list[tuple[object, ...]]:
    return await rows(store, "SELECT agent, in_a_row, rests_until, reason FROM agent_misses ORDER BY agent")
