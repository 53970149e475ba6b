"""What the store can tell: the one place that readers of it go to.

Every function runs SELECTs only, on whatever connection it is given, so the reader's read-only
one serves as well as a test's. A `Reader` runs them on a store: `await read(reads.leads, query)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Concatenate, Protocol

from missedd.core.pagination import Page, Query, ReadPage
from missedd.store.actions.agent_misses import AbsentAgent, absent_agents
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
from missedd.store.reads.gauges import StoreGauges, gauges
from missedd.store.reads.leads import conversions, lead, leads
from missedd.store.reads.lists import actions, calls, latest_calls, next_actions, subscriptions, suppressions
from missedd.store.reads.refused_sms import RefusedSms, refused_sms
from missedd.store.rollups.facts import campaigns
from missedd.store.rollups.query import figures_soon, load_analytics

__all__ = [
    "AbsentAgent",
    "ReadOnlyDatabase",
    "RefusedSms",
    "StoreGauges",
    "StoreReader",
    "absent_agents",
    "actions",
    "attention_counts",
    "audit",
    "backlogs",
    "call_trace",
    "calls",
    "campaigns",
    "conversions",
    "early_webhook_counts",
    "erasure_blocker",
    "figures_soon",
    "gauges",
    "latest_calls",
    "lead",
    "leads",
    "load_analytics",
    "lost_answers",
    "next_actions",
    "number_trace",
    "open_action_counts",
    "parked_webhooks",
    "pauses_json",
    "polls",
    "quarantine",
    "refused_sms",
    "subscriptions",
    "suppressions",
    "tally",
    "trace_of_own_call",
    "unknown_outcomes",
]


class ReadRunner(Protocol):
    """How a reading unit of work is run: `Store.read`, or a reader's connection."""

    async def __call__[T](self, unit: Callable[[ReadOnlyDatabase], Awaitable[T]]) -> T: ...


class StoreReader:
    """Runs the functions of this module, each on one snapshot of the store."""

    def __init__(self, read: ReadRunner) -> None:
        self._read = read

    async def __call__[**P, T](
        self, ask: Callable[Concatenate[ReadOnlyDatabase, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        async def unit(db: ReadOnlyDatabase) -> T:
            return await ask(db, *args, **kwargs)

        return await self._read(unit)

    def pages[T](self, ask: Callable[[ReadOnlyDatabase, Query], Awaitable[Page[T]]]) -> ReadPage[T]:
        """A list, for somebody who asks for its pages."""
        return lambda query: self(ask, query)
