"""Calls that take places with an agent, in a flow or on the account, and callers who wait for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from missedd.base.clock import to_us
from missedd.core.agent_rotation import Agent
from missedd.core.model import Lane, Outcome
from missedd.core.policy import Policy
from missedd.store.actions.rows import Timer
from missedd.store.store import Store
from tests.core.campaigns import (
    AGENTS,
    EXOPHONE,
    NOON,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    minutes,
    policy,
    seconds,
)
from tests.store.steps import DUE, admit_calls, claim_actions, end_callback, rows

AGENT, OTHER_AGENT, _ = AGENTS
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
OVER = DUE + minutes(1)


def caller(n: int) -> str:
    return f"+9197000000{n:02}"


def with_agents(*agents: str | Agent, **changes: object) -> object:
    return callback(flow=None, agents=agents, **changes)


def of_agents(*agents: str | Agent, **changes: object) -> Policy:
    return policy(campaign(callback=with_agents(*agents, **changes)))


def shared(first: object, second: object, channels: int | None = None) -> Policy:
    """Two campaigns, `admissions` and `care`."""
    both = policy(
        campaign(callback=first), campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=second)
    )
    return replace(both, channels=channels)


ONE = of_agents(AGENT)


async def rings(
    store: Store, of: Policy, *numbers: int, at: datetime = NOON, exophone: str = EXOPHONE, gap_s: float = 1
) -> None:
    """Callers, a second apart; each of the campaigns here owes a callback and nothing else."""
    for n, number in enumerate(numbers):
        when = at + seconds(n * gap_s)
        inbound = call(f"c{number}-{exophone}", when, caller=caller(number), dialled=(exophone,))
        await admit_calls(store, inbound, of=of, at=when)


async def try_all(store: Store, *ids: int, of: Policy, at: datetime, limit: int = 64) -> list[int]:
    """Which of these callbacks go."""
    return [each.action.id for each in (await claim_actions(store, *ids, at=at, of=of, limit=limit)).claimed]


async def waits(store: Store, action_id: int) -> str | None:
    """What a held one waits for."""
    ((state, reason),) = await rows(store, "SELECT state, reason FROM actions WHERE id = ?", action_id)
    return str(reason) if state == "held" else None


def woken(at: datetime, *ids: int) -> list[Timer]:
    return [Timer(to_us(at), action_id, Lane.VOICE) for action_id in ids]


async def ended_as_placed(store: Store, action_id: int, at: datetime, of: Policy) -> None:
    await store.write(
        lambda db: db.execute(
            "UPDATE actions SET state = 'placed', provider_sid = ? WHERE id = ?",
            (f"sid-{action_id}", action_id),
        )
    )
    await end_callback(store, Outcome.ANSWERED, action_id, at=at, of=of)


async def woken_go(store: Store, at: datetime, of: Policy) -> list[int]:
    """Claim what is to be woken, as its timers would, until nothing more is."""
    went: list[int] = []
    for _ in range(10):
        due = await rows(
            store,
            """SELECT id FROM actions WHERE wake_at <= ? AND state IN ('planned', 'held')
               ORDER BY wake_at DESC, id DESC""",
            to_us(at),
        )
        if not due:
            break
        went += await try_all(store, *(action_id for (action_id,) in due), of=of, at=at, limit=1)
    return went
