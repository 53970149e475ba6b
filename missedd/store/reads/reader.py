"""What the store can tell: the one place that readers of it go to.

Every function runs SELECTs only, on whatever connection it is given, so the reader's read-only
one serves as well as a test's. `Reader` binds them to a store: each answer is one snapshot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from missedd.core.analytics.backlog_forecast import Backlog
from missedd.core.model import Kind
from missedd.core.pagination import Page, Query
from missedd.core.people.erasure import ErasureRefusal
from missedd.core.polls.tally import Tally
from missedd.store.actions.agent_misses import absent_agents
from missedd.store.actions.pauses import pauses_json
from missedd.store.actions.quarantine import quarantine
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.people.erasure_blockers import erasure_blocker
from missedd.store.polls.tallies import polls, tally
from missedd.store.reads.attention import (
    attention_counts,
    early_webhook_counts,
    lost_answers,
    parked_webhooks,
    unknown_outcomes,
)
from missedd.store.reads.audit import audit
from missedd.store.reads.backlog import backlogs, open_action_counts
from missedd.store.reads.calls import call_trace, number_trace, trace_of_own_call
from missedd.store.reads.gauges import gauges
from missedd.store.reads.leads import conversions, lead, leads
from missedd.store.reads.lists import actions, calls, latest_calls, next_actions, subscriptions, suppressions
from missedd.store.reads.refused_sms import refused_sms
from missedd.store.rollups.facts import campaigns
from missedd.store.rollups.query import MAX_CALLS_COUNTED, load_analytics

__all__ = [
    "ReadOnlyDatabase",
    "StoreReader",
    "actions",
    "call_trace",
    "calls",
    "campaigns",
    "conversions",
    "gauges",
    "latest_calls",
    "lead",
    "leads",
    "load_analytics",
    "next_actions",
    "number_trace",
    "open_action_counts",
    "pauses_json",
    "polls",
    "quarantine",
    "subscriptions",
    "suppressions",
    "tally",
    "trace_of_own_call",
]


class ReadRunner(Protocol):
    """How a reading unit of work is run: `Store.read`, or a reader's connection."""

    async def __call__[T](self, unit: Callable[[ReadOnlyDatabase], Awaitable[T]]) -> T: ...


class StoreReader:
    """The reads as the console and the API ask for them. Hours of the day are in `timezone`."""

    def __init__(self, read: ReadRunner, timezone: str) -> None:
        self._read = read
        self._timezone = timezone

    async def call_trace(self, call_sid: str) -> dict[str, Any] | None:
        return await self._read(partial(call_trace, call_sid=call_sid))

    async def number_trace(self, number: str) -> list[dict[str, Any]]:
        return await self._read(partial(number_trace, number=number))

    async def erasure_blocker(self, number: str, why: ErasureRefusal, at: datetime) -> dict[str, Any] | None:
        return await self._read(partial(erasure_blocker, number=number, why=why, at=at))

    async def calls(self, query: Query) -> Page:
        return await self._read(partial(calls, query=query))

    async def actions(self, query: Query) -> Page:
        return await self._read(partial(actions, query=query))

    async def leads(self, query: Query) -> Page:
        return await self._read(partial(leads, query=query))

    async def lead(self, lead_id: int) -> dict[str, Any] | None:
        return await self._read(partial(lead, lead_id=lead_id))

    async def conversions(self, query: Query) -> Page:
        return await self._read(partial(conversions, query=query))

    async def suppressions(self, query: Query) -> Page:
        return await self._read(partial(suppressions, query=query))

    async def subscriptions(self, query: Query) -> Page:
        return await self._read(partial(subscriptions, query=query))

    async def latest_calls(self, limit: int) -> list[dict[str, Any]]:
        return await self._read(partial(latest_calls, limit=limit))

    async def next_actions(self, now: datetime, limit: int) -> list[dict[str, Any]]:
        return await self._read(partial(next_actions, now=now, limit=limit))

    async def campaigns(self) -> list[str]:
        return await self._read(campaigns)

    async def quarantine(self) -> dict[str, Any]:
        return await self._read(quarantine)

    async def backlogs(self, now: datetime) -> dict[Kind, Backlog]:
        return await self._read(partial(backlogs, now=now))

    async def attention_counts(self) -> dict[str, int]:
        return await self._read(attention_counts)

    async def absent_agents(self) -> list[dict[str, Any]]:
        return await self._read(absent_agents)

    async def early_webhook_counts(self, now: datetime) -> list[dict[str, Any]]:
        return await self._read(partial(early_webhook_counts, now=now))

    async def refused_sms(self, now: datetime) -> list[dict[str, Any]]:
        return await self._read(partial(refused_sms, now=now))

    async def parked_webhooks(self, query: Query) -> Page:
        return await self._read(partial(parked_webhooks, query=query))

    async def unknown_outcomes(self, query: Query) -> Page:
        return await self._read(partial(unknown_outcomes, query=query))

    async def lost_answers(self, query: Query) -> Page:
        return await self._read(partial(lost_answers, query=query))

    async def audit(self, query: Query) -> Page:
        return await self._read(partial(audit, query=query))

    async def pauses(self, now: datetime) -> dict[str, dict[str, Any]]:
        return await self._read(partial(pauses_json, now=now))

    async def open_action_counts(self) -> list[dict[str, Any]]:
        return await self._read(open_action_counts)

    async def polls(self) -> list[str]:
        return await self._read(polls)

    async def tally(self, poll: str) -> Tally | None:
        return await self._read(partial(tally, poll=poll))

    async def gauges(self, now: datetime) -> dict[str, Any]:
        return await self._read(partial(gauges, now=now))

    async def analytics(
        self, campaign: str | None, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        """Raises `RollupsBehind` while the summaries are far behind."""
        period = partial(load_analytics, campaign=campaign, since=since, until=until)
        return await self._read(partial(period, timezone=self._timezone, max_calls=MAX_CALLS_COUNTED))
