"""A scene for one part of the engine: a store on a real file, virtual time, a wall clock that can be off."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import trio

from missedd.base.clock import to_us
from missedd.config.store_location import PostgresqlLocation
from missedd.core.model import InboundCall, Kind, Lane, StatusReport
from missedd.core.policy import Policy
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import Timers
from missedd.engine.webhooks.endpoint_queues import WebhookQueues
from missedd.exotel.request_result import Accepted, Answer
from missedd.log.logger import Event, Logger, create_logger
from missedd.store.actions.claims import ClaimedAction
from missedd.store.actions.rows import Timer
from missedd.store.actions.status_reports import ReportResult
from missedd.store.actions.timers import timers_between
from missedd.store.admission.admit import admit
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.postgresql.reading import ReadingConnections
from missedd.store.postgresql.writing import WritingConnection
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import Store, open_store
from simulator.harness.cluster.inline_postgresql import InlinePostgresqlDriver
from simulator.harness.cluster.simulated_database import SimulatedDatabase
from simulator.harness.cluster.simulated_node import SimulatedNode
from tests.core.campaigns import NOON, call
from tests.store.database import new_database


class WallClock:
    """Runs with trio's clock from noon on, plus the error that a test sets."""

    def __init__(self) -> None:
        self._began_s = trio.current_time()
        self.error = timedelta(0)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=trio.current_time() - self._began_s) + self.error


class Disk:
    """A disk whose commits take `takes_s` seconds, and fail as SQLite's would while `is_full`."""

    def __init__(self) -> None:
        self.is_full = False
        self.takes_s = 0.0

    async def pause(self) -> None:
        await trio.sleep(self.takes_s)

    def fault(self, point: str) -> None:
        if self.is_full and point == "before-commit":
            raise sqlite3.OperationalError("database or disk is full")


@dataclass
class EngineScene:
    store: Store
    policy: Policy
    clock: WallClock
    disk: Disk
    log: Logger
    lines: io.StringIO
    ready: dict[Lane, DueQueue]
    webhooks: WebhookQueues
    timers: Timers
    troubles: ActiveTroubles
    upstream: CircuitBreakers
    rng: Random = field(default_factory=partial(Random, 1))

    @property
    def clock_watch(self) -> ClockWatch:
        return self.timers.clock_watch

    async def call(self, sid: str = "c1", at: datetime | None = None, **changes: Any) -> AdmittedCall:
        """Admit one call, by default now, and add its timers."""
        (admitted,) = await self.calls(call(sid, at or self.clock.now(), **changes))
        return admitted

    async def calls(self, *calls: InboundCall) -> list[AdmittedCall]:
        unit = partial(admit, calls=calls, policy=self.policy, received_at=self.clock.now())
        admitted = await self.store.write(unit)
        for each in admitted:
            self.timers.add(each.timers)
        return admitted

    async def report_call_end(self, action_id: int, status: str, sid: str | None = None) -> ReportResult:
        """A report of how an action's call ended, with the Sid that `Provider` gives it."""
        sid = sid or f"sid-{action_id}"
        report = StatusReport(sid, status, fields={"Status": status, "CallSid": sid})
        reports = StatusReports(
            self.store, self.policy, self.clock, self.log, self.clock_watch, self.timers.add
        )
        return await reports.apply(action_id, Kind.CALLBACK, report)

    async def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda db: db.fetch_all(sql, params))

    async def actions(self, columns: str = "state, outcome, reason") -> list[tuple[Any, ...]]:
        return await self.rows(f"SELECT {columns} FROM actions ORDER BY id")

    async def attempts(self, columns: str = "action_id, number, result") -> list[tuple[Any, ...]]:
        return await self.rows(f"SELECT {columns} FROM attempts ORDER BY id")

    async def due_on_disk(self) -> set[int]:
        return {row[0] for row in await self.rows("SELECT id FROM actions WHERE wake_at IS NOT NULL")}

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = (json.loads(line) for line in self.lines.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]


@asynccontextmanager
async def scene(folder: Path, policy: Policy, starts_at: datetime = NOON) -> AsyncIterator[EngineScene]:
    """An open store with running timers. The wall clock starts at `starts_at`."""
    clock, disk, lines = WallClock(), Disk(), io.StringIO()
    clock.error = starts_at - NOON
    log = create_logger(lines, style="json", now=clock.now)
    webhooks = WebhookQueues({each.name: each.webhook.url for each in policy.campaigns if each.webhook})
    ready = {lane: DueQueue() for lane in Lane} | {Lane.WEBHOOK: webhooks}
    async with _open_database(folder, disk, clock) as store:

        async def load(after_us: int, until_us: int) -> list[Timer]:
            return await store.read(partial(timers_between, after_us=after_us, until_us=until_us))

        def log_step(stepped_s: float) -> None:
            log.warning(Event.TIMER_CLOCK_STEPPED, stepped_s=round(stepped_s, 1), pending=len(timers))

        clock_watch = ClockWatch(clock, log_step)
        timers = Timers(clock, load, ready, clock_watch)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clock_watch.run)
            await nursery.start(timers.run)
            troubles = ActiveTroubles()
            upstream = CircuitBreakers(clock, log, troubles, frozenset())
            yield EngineScene(
                store, policy, clock, disk, log, lines, ready, webhooks, timers, troubles, upstream
            )
            nursery.cancel_scope.cancel()


SHARED_DATABASE: PostgresqlLocation | None = None
"""The PostgreSQL of the test's scenes; None for a file in the folder of each scene."""


def _open_database(folder: Path, disk: Disk, clock: WallClock) -> AbstractAsyncContextManager[Store]:
    if SHARED_DATABASE is not None:
        node = SimulatedNode(1, SimulatedDatabase(clock.now, Random(1)))
        return open_store(_DriverOfDisk(node, disk), SHARED_DATABASE, "a test")
    path = folder / "missedd.db"
    if not path.exists():
        path.write_bytes(new_database())
    return open_store(InlineDriver(disk.fault, disk.pause), path, "a test")


class _DriverOfDisk(InlinePostgresqlDriver):
    """A PostgreSQL in virtual time whose commits take as long as the disk's, and fail as they do."""

    def __init__(self, node: SimulatedNode, disk: Disk) -> None:
        super().__init__(node, self._step)
        self._disk = disk

    def _step(self, point: str) -> None:
        try:
            self._disk.fault(point)
        except sqlite3.OperationalError as failure:
            raise psycopg.OperationalError(str(failure)) from None

    async def open(
        self, location: PostgresqlLocation, *, read_only: bool
    ) -> WritingConnection | ReadingConnections:
        connection = await super().open(location, read_only=read_only)
        if isinstance(connection, WritingConnection):
            write = connection.write

            async def write_after_a_pause(*args: Any, **options: Any) -> list[Any]:
                await self._disk.pause()
                return await write(*args, **options)

            connection.write = write_after_a_pause  # type: ignore[method-assign]
        return connection


class Provider:
    """Answers each request with the next of `answers`, and accepts the request when they are used up.

    Each request is out for `takes_s`. `rows_at_request` holds what the database said of it as it arrived.
    """

    def __init__(self, stage: EngineScene, answers: Iterable[Answer] = (), takes_s: float = 0.3) -> None:
        self._stage = stage
        self._answers = list(answers)
        self._takes_s = takes_s
        self.requests: list[tuple[datetime, int]] = []
        self.rows_at_request: list[tuple[Any, ...]] = []
        self.in_flight = 0
        self.max_in_flight = 0

    async def send(self, claimed: ClaimedAction) -> Answer:
        answer = self._answers.pop(0) if self._answers else Accepted(f"sid-{len(self.requests) + 1}")
        self.requests.append((self._stage.clock.now(), claimed.action.id))
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            self.rows_at_request += await self._stage.rows(
                """SELECT actions.state, actions.wake_at, actions.placed_at, attempts.number, attempts.result
                   FROM attempts JOIN actions ON actions.id = attempts.action_id
                   WHERE action_id = ? AND attempts.number = ?""",
                claimed.action.id,
                claimed.attempt,
            )
            await trio.sleep(self._takes_s)
        finally:
            self.in_flight -= 1
        return answer

    @property
    def asked_at(self) -> list[float]:
        """When each request arrived, in seconds after noon."""
        return [(at - NOON).total_seconds() for at, _ in self.requests]

    @property
    def asked_for(self) -> list[int]:
        return [action_id for _, action_id in self.requests]


def us(seconds_after_noon: float) -> int:
    return to_us(NOON + timedelta(seconds=seconds_after_noon))
