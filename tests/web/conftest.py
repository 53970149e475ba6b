"""The private site over a real file with the real schema, asked without a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from quart_trio import QuartTrio

from missedd.core.actions.resolution import Settlement
from missedd.core.admission.pauses import Pause
from missedd.core.audit import By
from missedd.core.model import Lane, Outcome
from missedd.core.people.conversions import Answer, SaidConversion
from missedd.core.people.erasure import Erased, NotErased
from missedd.core.people.leads import LeadStatus
from missedd.core.people.verification import NotStarted
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.alerts.active_alerts import Troubles
from missedd.engine.poll_changes import News
from missedd.store.reads.reader import Reader, Rows
from missedd.web.auth.access import Keys
from missedd.web.private.app import OPEN, build_private
from missedd.web.private.metrics import Metrics
from tests.core.campaigns import SECOND_EXOPHONE, callback, campaign, office, policy, sms
from tests.store.database import NOON, FilledDatabase

POLICY = policy(
    campaign(callback=callback(), lead_source="missed_call", hours=office()),
    campaign(name="other", exophones=(SECOND_EXOPHONE,), sms=sms()),
)


@dataclass
class StoppedClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class Operator:
    """Stands for the engine: keeps what the operator asked for."""

    by: list[By] = field(default_factory=list)
    suppressed: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)
    subscribed: set[tuple[str, str]] = field(default_factory=set)
    parked: dict[int, int] = field(default_factory=dict)
    paused: dict[str, Pause] = field(default_factory=dict)
    released: list[bool] = field(default_factory=list)
    said: list[tuple[int, Outcome, str | None]] = field(default_factory=list)
    marked: list[tuple[int, LeadStatus]] = field(default_factory=list)
    converted: list[tuple[list[SaidConversion], bool]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    settlement: Settlement = Settlement.SETTLED
    erased: list[str] = field(default_factory=list)
    erasure: Erased | NotErased = field(default_factory=lambda: Erased("erased:1", 0, 0))
    error: Exception | None = None

    async def suppress(self, by: By, number: str, reason: str, until: datetime | None) -> None:
        if self.error is not None:
            raise self.error
        self.by.append(by)
        self.suppressed[number] = (reason, until)

    async def unsuppress(self, by: By, number: str) -> bool:
        self.by.append(by)
        return self.suppressed.pop(number, None) is not None

    async def unsubscribe(self, by: By, name: str, number: str) -> bool:
        self.by.append(by)
        return (name, number) in self.subscribed

    async def erase(self, by: By, number: str) -> Erased | NotErased:
        self.by.append(by)
        self.erased.append(number)
        return self.erasure

    async def release(self, by: By, *, drop: bool) -> int:
        self.by.append(by)
        self.released.append(drop)
        return 3

    async def settle(self, by: By, action_id: int, outcome: Outcome, remark: str | None) -> Settlement:
        self.by.append(by)
        self.said.append((action_id, outcome, remark))
        return self.settlement

    async def pause(self, by: By, campaign: str, until: datetime | None, why: str) -> Pause:
        self.by.append(by)
        self.paused[campaign] = Pause(campaign, NOON, until, why, by)
        return self.paused[campaign]

    async def resume(self, by: By, campaign: str) -> bool:
        self.by.append(by)
        return self.paused.pop(campaign, None) is not None

    async def mark_lead(self, by: By, lead_id: int, status: LeadStatus) -> bool:
        self.by.append(by)
        self.marked.append((lead_id, status))
        return True

    async def convert(self, by: By, said: Sequence[SaidConversion], *, dry_run: bool) -> list[Answer]:
        self.converted.append((list(said), dry_run))
        return [self.answers.pop(0) for _ in said]

    async def resend_parked(self, by: By) -> int:
        self.by.append(by)
        count, self.parked = len(self.parked), {}
        return count

    async def resend(self, by: By, action_id: int) -> int | None:
        self.by.append(by)
        return self.parked.get(action_id)


@dataclass
class Verifier:
    """Stands for the engine: keeps what the application asked for, and answers with what it was given."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    answer: Mapping[str, Any] | NotStarted = field(
        default_factory=lambda: NotStarted(Reason.UNKNOWN_CAMPAIGN)
    )
    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    async def start(self, number: str, campaign: str) -> Mapping[str, Any] | NotStarted:
        self.asked.append((number, campaign))
        return self.answer

    async def verification(self, verification_id: str) -> Mapping[str, Any] | None:
        return self.known.get(verification_id)


@dataclass
class Private:
    """The site under test and what stands behind it."""

    app: QuartTrio
    db: FilledDatabase
    operator: Operator
    clock: StoppedClock
    verifier: Verifier
    metrics: Metrics
    failures: list[tuple[str, Exception]]
    ready: list[str]
    logins: list[bool]
    news: News
    held: dict[Lane, str]
    """Why nothing goes out in a lane."""
    troubles: Troubles

    async def get(self, path: str) -> Any:
        return await self.app.test_client().get(path)

    async def json(self, path: str) -> Any:
        response = await self.get(path)
        assert response.status_code == 200, await response.get_data(as_text=True)
        return await response.get_json()


@pytest.fixture
def site_policy() -> Policy:
    """What the operator has configured; a module of tests may have another."""
    return POLICY


@pytest.fixture
def private(tmp_path: Path, site_policy: Policy) -> Iterator[Private]:
    with built_private(tmp_path, of=site_policy) as private:
        yield private


@contextmanager
def built_private(tmp_path: Path, keys: Keys = OPEN, of: Policy = POLICY) -> Iterator[Private]:
    """The site with these keys, over a database of its own."""
    db = FilledDatabase(tmp_path / "missedd.db")

    async def read[T](unit: Callable[[Rows], Awaitable[T]]) -> T:
        return await unit(db)

    reads, operator, metrics, news = Reader(read, "Asia/Kolkata"), Operator(), Metrics(), News()
    verifier = Verifier()
    failures: list[tuple[str, Exception]] = []
    ready: list[str] = []
    logins: list[bool] = []
    clock = StoppedClock()

    async def exposition() -> str:
        return metrics.text(await reads.gauges(NOON), NOON)

    held: dict[Lane, str] = {}
    troubles = Troubles()
    app = build_private(
        reads,
        operator,
        verifier,
        news,
        clock=clock,
        policy=of,
        why_not_ready=lambda: ready[0] if ready else None,
        metrics=exposition,
        on_failure=lambda path, error: failures.append((path, error)),
        on_login=lambda is_right, peer: logins.append(is_right),
        keys=keys,
        rates={Lane.VOICE: 60, Lane.SMS: 60},
        held=held.get,
        troubles=troubles.going_on,
    )
    try:
        yield Private(
            app, db, operator, clock, verifier, metrics, failures, ready, logins, news, held, troubles
        )
    finally:
        db.close()
