"""What the private site needs of the rest of the house, and nothing more of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import trio

from missedd.core.analytics.backlog_forecast import Backlog
from missedd.core.audit import Actor
from missedd.core.model import Kind
from missedd.core.pagination import Page, Query
from missedd.core.people.erasure import ErasureRefusal
from missedd.core.people.verification import VerificationRefusal
from missedd.core.polls.tally import Tally
from missedd.operator_actions.description import OperatorChange


class Reads(Protocol):
    """What is known. Objects are as the API shows them; `Query.number` is E.164."""

    async def call_trace(self, call_sid: str) -> dict[str, Any] | None: ...

    async def number_trace(self, number: str) -> list[dict[str, Any]]: ...

    async def erasure_blocker(
        self, number: str, why: ErasureRefusal, at: datetime
    ) -> Mapping[str, Any] | None:
        """What keeps a number from being erased, for `missedd.core.explain.erasure_refusal`."""
        ...

    async def calls(self, query: Query) -> Page: ...

    async def actions(self, query: Query) -> Page: ...

    async def leads(self, query: Query) -> Page: ...

    async def lead(self, lead_id: int) -> dict[str, Any] | None: ...

    async def conversions(self, query: Query) -> Page: ...

    async def suppressions(self, query: Query) -> Page: ...

    async def subscriptions(self, query: Query) -> Page: ...

    async def latest_calls(self, limit: int) -> list[dict[str, Any]]: ...

    async def next_actions(self, now: datetime, limit: int) -> list[dict[str, Any]]:
        """What waits, in the order in which it goes."""
        ...

    async def campaigns(self) -> list[str]:
        """The names under which there are calls."""
        ...

    async def quarantine(self) -> Mapping[str, Any]:
        """`since`, the restore whose earlier calls wait, or None; and `actions`, how many wait."""
        ...

    async def pauses(self, now: datetime) -> Mapping[str, Mapping[str, Any]]:
        """The pauses in force, by campaign: `since`, `until`, `why` and `actor`."""
        ...

    async def open_action_counts(self) -> list[dict[str, Any]]:
        """Counts of what is not done, by campaign, kind, state and reason."""

    async def polls(self) -> list[str]:
        """Every poll that there is or was, by name."""
        ...

    async def tally(self, poll: str) -> Tally | None:
        """None if there has never been such a poll."""
        ...

    async def backlogs(self, now: datetime) -> Mapping[Kind, Backlog]:
        """What waits for its turn, and what becomes due soon, by kind."""
        ...

    async def attention_counts(self) -> Mapping[str, int]:
        """How many webhooks are `parked_webhooks`, outcomes `unknown_outcomes`, and answers
        `lost_answers`."""
        ...

    async def absent_agents(self) -> Sequence[Mapping[str, Any]]:
        """Agents who missed so many calls in a row that a person should ask where they are."""
        ...

    async def early_webhook_counts(self, now: datetime) -> Sequence[Mapping[str, Any]]:
        """By campaign, calls of the last day that were taken after all when their callback had gone out."""
        ...

    async def refused_sms(self, now: datetime) -> Sequence[Mapping[str, Any]]:
        """SMS that every operator refuses until a person acts, by campaign and code."""
        ...

    async def parked_webhooks(self, query: Query) -> Page: ...

    async def unknown_outcomes(self, query: Query) -> Page: ...

    async def lost_answers(self, query: Query) -> Page: ...

    async def audit(self, query: Query) -> Page: ...

    async def gauges(self, now: datetime) -> Mapping[str, Any]: ...

    async def analytics(
        self, campaign: str | None, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        """Raises `RollupsBehind` where they would take too long just now."""
        ...


class Verifier(Protocol):
    """Has numbers proved by missed calls, for an application that asks."""

    async def start(self, number: str, campaign: str) -> Mapping[str, Any] | VerificationRefusal: ...

    async def verification(self, verification_id: str) -> Mapping[str, Any] | None:
        """How it stands; None if there is none. That it has expired is final once it is told here."""
        ...


class PollFeed(Protocol):
    """Which polls have changed; everything else about them is read."""

    def version(self, poll: str) -> int:
        """To be asked before the poll is read, and given to `wait` after that."""
        ...

    async def wait(self, poll: str, since: int) -> None:
        """Return when the poll has changed since."""
        ...

    @property
    def closed(self) -> trio.Event:
        """Set when nothing more will be told, as the daemon stops."""
        ...


class Operations(Protocol):
    """What an operator may change by hand."""

    async def perform[R](self, actor: Actor, change: OperatorChange[R]) -> R:
        """Make a change; it returns when the change is durable and on the audit record."""
        ...
