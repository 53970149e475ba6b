"""Which agents did not take their latest call, and how often in a row; a person should ask after some."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from missedd.base.clock import from_us, to_us
from missedd.core.admission.agent_misses import NEEDS_A_PERSON, Misses, missed_again
from missedd.core.policy import Policy
from missedd.core.reasons import AGENT_MISSED, Reason, words_of
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database, Rows


async def misses_of(db: Rows, agents: Iterable[str]) -> dict[str, Misses]:
    """Those of these agents who missed their latest call."""
    rows = await db.fetch_all(
        """SELECT agent, in_a_row, rests_until, reason FROM agent_misses
           WHERE agent IN (SELECT value FROM json_each(?))""",
        (json.dumps(sorted(agents)),),
    )
    return {agent: Misses(n, from_us(until_us), Reason(reason)) for agent, n, until_us, reason in rows}


async def absent_agents(db: Rows) -> list[dict[str, Any]]:
    """Agents who missed so many calls in a row that a person should ask where they are, the most first."""
    rows = await db.fetch_all(
        "SELECT agent, in_a_row, reason FROM agent_misses WHERE in_a_row >= ? ORDER BY in_a_row DESC, agent",
        (NEEDS_A_PERSON,),
    )
    return [
        {"agent": agent, "in_a_row": n, "reason": reason, "reason_words": words_of(reason)}
        for agent, n, reason in rows
    ]


async def forget_all_but(db: Database, agents: Iterable[str]) -> None:
    """Keep the misses of these agents only: nobody rings the others any more, so no answer ends theirs."""
    await db.execute(
        "DELETE FROM agent_misses WHERE agent NOT IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(agents)),),
    )


async def keep_miss(
    db: Database, action: ActionRow, reason: Reason, agent_came: bool, policy: Policy, ended_at: datetime
) -> bool:
    """Keep what the end of a callback says of its agent: a miss more, or that they take their calls again.

    Says whether that ended a row of misses. A caller who did not answer says nothing of an agent who was
    to be rung after them.
    """
    agent, campaign = action.details.get("agent"), policy.campaign(action.campaign)
    if agent is None:
        return False
    if reason in AGENT_MISSED and campaign is not None and campaign.callback is not None:
        before = (await misses_of(db, [agent])).get(agent)
        missed = missed_again(before, reason, campaign.callback.agent_retry, ended_at)
        await db.execute(
            """INSERT INTO agent_misses (agent, in_a_row, rests_until, reason) VALUES (?, ?, ?, ?)
               ON CONFLICT (agent) DO UPDATE SET in_a_row = excluded.in_a_row,
                   rests_until = excluded.rests_until, reason = excluded.reason""",
            (agent, missed.in_a_row, to_us(missed.rests_until), missed.reason),
        )
    elif agent_came:
        return bool(await db.fetch_all("DELETE FROM agent_misses WHERE agent = ? RETURNING agent", (agent,)))
    return False
