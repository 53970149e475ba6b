"""Agents who missed their latest call, and how often in a row; after several misses a person should ask."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from missedd.base.clock import from_us, to_us
from missedd.core.admission.agent_misses import ALERT_AFTER_MISSES, AgentMisses, record_miss
from missedd.core.policy import Policy
from missedd.core.reasons import AGENT_MISS_REASONS, Reason, describe_reason
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.db.lock_keys import LockKeys


async def load_agent_misses(db: ReadOnlyDatabase, agents: Iterable[str]) -> dict[str, AgentMisses]:
    """The misses of these agents, for those who missed their latest call."""
    rows = await db.fetch_all(
        """SELECT agent, in_a_row, rests_until, reason FROM agent_misses
           WHERE agent IN (SELECT value FROM json_each(?))""",
        (json.dumps(sorted(agents)),),
    )
    return {agent: AgentMisses(n, from_us(until_us), Reason(reason)) for agent, n, until_us, reason in rows}


class AbsentAgent(NamedTuple):
    """An agent who missed many calls in a row, and the reason of the last miss."""

    agent: str
    in_a_row: int
    reason: str

    @property
    def reason_words(self) -> str:
        return describe_reason(self.reason)


async def absent_agents(db: ReadOnlyDatabase) -> list[AbsentAgent]:
    """Agents who missed at least `ALERT_AFTER_MISSES` calls in a row, the most misses first."""
    rows = await db.fetch_all(
        "SELECT agent, in_a_row, reason FROM agent_misses WHERE in_a_row >= ? ORDER BY in_a_row DESC, agent",
        (ALERT_AFTER_MISSES,),
    )
    return [AbsentAgent(*row) for row in rows]


async def delete_misses_of_others(db: Database, agents: Iterable[str]) -> None:
    """Delete the misses of all other agents: nobody calls those any more, so no answered call ends them."""
    await db.execute(
        "DELETE FROM agent_misses WHERE agent NOT IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(agents)),),
    )


async def record_agent_outcome(
    db: Database, action: ActionRow, reason: Reason, agent_answered: bool, policy: Policy, ended_at: datetime
) -> bool:
    """Record from the end of a callback that its agent missed another call, or answers calls again.

    Returns whether this ended a row of misses. If the caller is called first and does not answer, the call
    says nothing about the agent.
    """
    agent, campaign = action.details.get("agent"), policy.campaign(action.campaign)
    if agent is None:
        return False
    if reason in AGENT_MISS_REASONS and campaign is not None and campaign.callback is not None:
        await db.lock(LockKeys.of(agent))
        before = (await load_agent_misses(db, [agent])).get(agent)
        missed = record_miss(before, reason, campaign.callback.agent_retry, ended_at)
        await db.execute(
            """INSERT INTO agent_misses (agent, in_a_row, rests_until, reason) VALUES (?, ?, ?, ?)
               ON CONFLICT (agent) DO UPDATE SET in_a_row = excluded.in_a_row,
                   rests_until = excluded.rests_until, reason = excluded.reason""",
            (agent, missed.in_a_row, to_us(missed.rests_until), missed.reason),
        )
    elif agent_answered:
        return bool(await db.fetch_all("DELETE FROM agent_misses WHERE agent = ? RETURNING agent", (agent,)))
    return False
