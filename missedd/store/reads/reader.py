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
from missedd.core.people.erasure import NotErased
from missedd.core.polls.tally import Tally
from missedd.store.actions.agent_misses import absent_agents
from missedd.store.actions.pauses import pauses
from missedd.store.actions.quarantine import quarantine
from missedd.store.db.database import Rows
from missedd.store.people.erasure_blockers import in_the_way
from missedd.store.polls.tallies import polls, tally
from missedd.store.reads.attention import attention, lost, parked, told_early, unknown
from missedd.store.reads.audit import audit
from missedd.store.reads.backlog import backlogs, pending
from missedd.store.reads.calls import call_story, story_of_number, story_of_ours
from missedd.store.reads.gauges import gauges
from missedd.store.reads.leads import conversions, lead, leads
from missedd.store.reads.lists import actions, calls, due_next, latest_calls, subscriptions, suppressions
from missedd.store.reads.refused_sms import refused_sms
from missedd.store.rollups.facts import campaigns
from missedd.store.rollups.query import MOST, figures

__all__ = [
    "Reader",
    "Rows",
    "actions",
    "call_story",
    "calls",
    "campaigns",
    "conversions",
    "due_next",
    "figures",
    "gauges",
    "latest_calls",
    "lead",
    "leads",
    "pauses",
    "pending",
    "polls",
    "quarantine",
    "story_of_number",
    "story_of_ours",
    "subscriptions",
    "suppressions",
    "tally",
]


class RunsReads(Protocol):
    """How a reading unit of work is run: `Store.read`, or a reader's connection."""

    async def __call__[T](self, unit: Callable[[Rows], Awaitable[T]]) -> T: ...


class Reader:
    """The reads as the console and the API ask for them. Hours of the day are in `timezone`."""

    def __init__(self, read: RunsReads, timezone: str) -> None:
        self._read = read
        self._timezone = timezone

    async def call_story(self, call_sid: str) -> dict[str, Any] | None:
        return await self._read(partial(call_story, call_sid=call_sid))

    async def story_of_number(self, number: str) -> list[dict[str, Any]]:
        return await self._read(partial(story_of_number, number=number))

    async def in_the_way(self, number: str, why: NotErased, at: datetime) -> dict[str, Any] | None:
        return await self._read(partial(in_the_way, number=number, why=why, at=at))

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

    async def due_next(self, now: datetime, limit: int) -> list[dict[str, Any]]:
        return await self._read(partial(due_next, now=now, limit=limit))

    async def campaigns(self) -> list[str]:
        return await self._read(campaigns)

    async def quarantine(self) -> dict[str, Any]:
        return await self._read(quarantine)

    async def backlogs(self, now: datetime) -> dict[Kind, Backlog]:
        return await self._read(partial(backlogs, now=now))

    async def attention(self) -> dict[str, int]:
        return await self._read(attention)

    async def absent_agents(self) -> list[dict[str, Any]]:
        return await self._read(absent_agents)

    async def told_early(self, now: datetime) -> list[dict[str, Any]]:
        return await self._read(partial(told_early, now=now))

    async def refused_sms(self, now: datetime) -> list[dict[str, Any]]:
        return await self._read(partial(refused_sms, now=now))

    async def parked(self, query: Query) -> Page:
        return await self._read(partial(parked, query=query))

    async def unknown(self, query: Query) -> Page:
        return await self._read(partial(unknown, query=query))

    async def lost(self, query: Query) -> Page:
        return await self._read(partial(lost, query=query))

    async def audit(self, query: Query) -> Page:
        return await self._read(partial(audit, query=query))

    async def pauses(self, now: datetime) -> dict[str, dict[str, Any]]:
        return await self._read(partial(pauses, now=now))

    async def pending(self) -> list[dict[str, Any]]:
        return await self._read(pending)

    async def polls(self) -> list[str]:
        return await self._read(polls)

    async def tally(self, poll: str) -> Tally | None:
        return await self._read(partial(tally, poll=poll))

    async def gauges(self, now: datetime) -> dict[str, Any]:
        return await self._read(partial(gauges, now=now))

    async def figures(
        self, campaign: str | None, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        """Raises `TooMuchToCount` while the summaries are far behind."""
        period = partial(figures, campaign=campaign, since=since, until=until)
        return await self._read(partial(period, timezone=self._timezone, most=MOST))
