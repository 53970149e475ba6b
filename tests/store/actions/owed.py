"""A campaign with callers who call more than once, and the callbacks that it owes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from missedd.base.clock import to_us
from missedd.core.policy import Policy
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import timers_between
from missedd.store.store import Store
from tests.core.campaigns import NOON, call, callback, campaign, minutes, policy, seconds
from tests.store.steps import admit_calls, rows

EAGER = policy(campaign(callback=callback(max_per_hour=9, retries=(minutes(5),)), dedup_window=timedelta(0)))
ALREADY_OWED = ("done", "dropped", "already-owed")
OWED = ("planned", None, "owed")
FOR_EVER = 2**62


async def rang(
    store: Store, sid: str, at: datetime, of: Policy = EAGER, told_at: datetime | None = None
) -> None:
    await admit_calls(store, call(sid, at), of=of, at=told_at or at)


async def kept(store: Store, action_id: int) -> tuple[object, ...]:
    """When it is due, until when it is worth making, and since when somebody waits for it."""
    (found,) = await rows(store, "SELECT due_at, expires_at, chain_at FROM actions WHERE id = ?", action_id)
    return found


async def replaced_by(store: Store) -> list[str | None]:
    return [by for (by,) in await rows(store, "SELECT details ->> 'replaced_by' FROM actions ORDER BY id")]


async def wakes(store: Store) -> list[Timer]:
    return await store.read(partial(timers_between, after_us=-1, until_us=FOR_EVER))


def instants(due_at: datetime, expires_at: datetime, chain_at: datetime | None) -> tuple[object, ...]:
    return to_us(due_at), to_us(expires_at), None if chain_at is None else to_us(chain_at)


SECOND = NOON + seconds(10)
