"""The private site over a real file with the real schema, asked without a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from quart_trio import QuartTrio

from missedd.core.actions.resolution import Resolution
from missedd.core.admission.pauses import Pause
from missedd.core.api_types.verifications import VerificationJson
from missedd.core.audit import Actor
from missedd.core.cluster.cluster_status import ClusterStatus, sole_node
from missedd.core.model import Lane, Outcome
from missedd.core.people.conversions import ConversionInput, ConversionResult
from missedd.core.people.erasure import ErasureRefusal, ErasureResult
from missedd.core.people.leads import LeadStatus
from missedd.core.people.verification import VerificationRefusal
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.poll_changes import PollChanges
from missedd.operator_actions.actions import ResendParkedWebhooks, ResendWebhook, ResolveUnknown
from missedd.operator_actions.campaigns import PauseCampaign, ResumeCampaign
from missedd.operator_actions.description import OperatorChange
from missedd.operator_actions.leads import MarkLead, RecordConversions
from missedd.operator_actions.numbers import Erase, Suppress, Unsubscribe, Unsuppress
from missedd.operator_actions.quarantine import ReleaseQuarantine
from missedd.store.reads.reader import ReadOnlyDatabase, StoreReader, gauges
from missedd.web.auth.access import AccessPolicy
from missedd.web.private.app import NO_AUTH, PrivateDependencies, build_private
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

    by: list[Actor] = field(default_factory=list)
    suppressed: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)
    subscribed: set[tuple[str, str]] = field(default_factory=set)
    parked: dict[int, int] = field(default_factory=dict)
    paused: dict[str, Pause] = field(default_factory=dict)
    released: list[bool] = field(default_factory=list)
    resolved: list[tuple[int, Outcome, str | None]] = field(default_factory=list)
    marked: list[tuple[int, LeadStatus]] = field(default_factory=list)
    converted: list[tuple[list[ConversionInput], bool]] = field(default_factory=list)
    answers: list[ConversionResult] = field(default_factory=list)
    settlement: Resolution = Resolution.SETTLED
    erased: list[str] = field(default_factory=list)
    erasure: ErasureResult | ErasureRefusal = field(default_factory=lambda: ErasureResult("erased:1", 0, 0))
    error: Exception | None = None

    results: dict[type[OperatorChange[Any]], object] = field(default_factory=dict)
    """What is answered to a change that is none of those below."""

    async def perform[R](self, actor: Actor, change: OperatorChange[R]) -> R:
        if self.error is not None:
            raise self.error
        self.by.append(actor)
        result: R = self._make(actor, change)
        return result

    def _make(self, actor: Actor, change: OperatorChange[Any]) -> Any:
        match change:
            case Suppress(number, reason, until):
                self.suppressed[number] = (reason, until)
                return None
            case Unsuppress(number):
                return self.suppressed.pop(number, None) is not None
            case Unsubscribe(name, number):
                return (name, number) in self.subscribed
            case Erase(number):
                self.erased.append(number)
                return self.erasure
            case ReleaseQuarantine(drop):
                self.released.append(drop)
                return 3
            case ResolveUnknown(action_id, outcome, note):
                self.resolved.append((action_id, outcome, note))
                return self.settlement
            case PauseCampaign(campaign, why, until):
                self.paused[campaign] = Pause(campaign, NOON, until, why, actor)
                return self.paused[campaign]
            case ResumeCampaign(campaign):
                return self.paused.pop(campaign, None) is not None
            case MarkLead(lead_id, status):
                self.marked.append((lead_id, status))
                return True
            case RecordConversions(conversions, dry_run):
                self.converted.append((list(conversions), dry_run))
                return [self.answers.pop(0) for _ in conversions]
            case ResendParkedWebhooks():
                count, self.parked = len(self.parked), {}
                return count
            case ResendWebhook(action_id):
                return self.parked.get(action_id)
        return self.results[type(change)]


@dataclass
class Verifier:
    """Stands for the engine: keeps what the application asked for, and answers with what it was given."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    answer: VerificationJson | VerificationRefusal = field(
        default_factory=lambda: VerificationRefusal(Reason.UNKNOWN_CAMPAIGN)
    )
    known: dict[str, VerificationJson] = field(default_factory=dict)

    async def start(self, number: str, campaign: str) -> VerificationJson | VerificationRefusal:
        self.asked.append((number, campaign))
        return self.answer

    async def verification(self, verification_id: str) -> VerificationJson | None:
        return self.known.get(verification_id)


@dataclass
class ShownCluster:
    """The nodes that the site shows; a test may put others here."""

    status: ClusterStatus

    async def __call__(self) -> ClusterStatus:
        return self.status


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
    news: PollChanges
    held: dict[Lane, str]
    """Why nothing goes out in a lane."""
    troubles: ActiveTroubles
    cluster: ShownCluster

    async def get(self, path: str) -> Any:
        return await self.app.test_client().get(path)

    async def html(self, path: str) -> str:
        """A page, whatever its status."""
        return str(await (await self.get(path)).get_data(as_text=True))

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
def built_private(tmp_path: Path, keys: AccessPolicy = NO_AUTH, of: Policy = POLICY) -> Iterator[Private]:
    """The site with these keys, over a database of its own."""
    db = FilledDatabase(tmp_path / "missedd.db")

    async def read[T](unit: Callable[[ReadOnlyDatabase], Awaitable[T]]) -> T:
        return await unit(db)

    reader, operator, metrics, news = StoreReader(read), Operator(), Metrics(), PollChanges()
    verifier = Verifier()
    failures: list[tuple[str, Exception]] = []
    ready: list[str] = []
    logins: list[bool] = []
    clock = StoppedClock()
    cluster = ShownCluster(sole_node("delhi-1", "127.0.0.1:8081", "0.2.0", "0123456789ab", NOON, NOON))

    async def exposition() -> str:
        return metrics.exposition(await reader(gauges, NOON), NOON)

    held: dict[Lane, str] = {}
    troubles = ActiveTroubles()
    needs = PrivateDependencies(
        read=reader,
        operations=operator,
        verifier=verifier,
        poll_feed=news,
        cluster=cluster,
        clock=clock,
        policy=of,
        why_not_ready=lambda: ready[0] if ready else None,
        metrics=exposition,
        on_failure=lambda path, error: failures.append((path, error)),
        on_login=lambda is_right, peer: logins.append(is_right),
        access_policy=keys,
        requests_per_minute={Lane.VOICE: 60, Lane.SMS: 60},
        hold_reason=held.get,
        troubles=troubles.active,
    )
    app = build_private(needs)
    try:
        yield Private(
            app,
            db,
            operator,
            clock,
            verifier,
            metrics,
            failures,
            ready,
            logins,
            news,
            held,
            troubles,
            cluster,
        )
    finally:
        db.close()
