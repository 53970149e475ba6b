"""Nodes of one database whose statements a stepper interleaves: the engine's own parts on real connections.

One node leads: it claims, sends and rolls up. The others take in calls, reports and operators' changes. All
share a clock that the test moves, so an action is due for all of them at once.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final

import psycopg
import trio

from missedd.base.clock import to_us
from missedd.config.store_location import PostgresqlLocation
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.audit import Actor, Source
from missedd.core.model import InboundCall, Kind, Lane, StatusReport, Verdict
from missedd.core.policy import Policy, VotePolicy
from missedd.engine.dispatch.attempt_result import interpret_answer
from missedd.engine.dispatch.attempts import AttemptRecorder
from missedd.engine.intake.intake import Intake
from missedd.engine.operator import Operator
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import Timers
from missedd.exotel.request_result import Accepted
from missedd.log.logger import Logger, create_logger
from missedd.operator_actions.numbers import Suppress, Unsuppress
from missedd.store.actions.claims import ClaimedAction
from missedd.store.actions.rows import Timer
from missedd.store.db.database import Row, UnitOfWork
from missedd.store.db.writer import Writer
from missedd.store.postgresql.connecting import ConnectionFactory
from missedd.store.postgresql.writing import WritingConnection, WritingDatabase
from missedd.store.rollups import settled_rows
from missedd.store.rollups.roll_up import roll_up
from missedd.store.store import Store
from tests.core.campaigns import INDIA, NOON, SECOND_EXOPHONE, call, callback, campaign, policy, sms
from tests.store.postgresql.stepper import Turns

AGENT: Final = "+919800000011"
CALLERS: Final = ("+919876543210", "+919812345678", "+919800000003")
WEBSITE, YES, NO = "+918047120001", SECOND_EXOPHONE, "+918047120003"
POLICY: Final[Policy] = policy(
    campaign(
        name="website",
        exophones=(WEBSITE,),
        callback=callback(agents=(AGENT,), flow=None, delay=timedelta(seconds=5), max_per_hour=9),
        sms=sms(),
        lead_source="missed_call",
    ),
    campaign(name="yes", exophones=(YES,), vote=VotePolicy("tea", "yes")),
    campaign(name="no", exophones=(NO,), vote=VotePolicy("tea", "no")),
)


class SharedClock:
    """The clock of all nodes; the test moves it."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class SteppedDatabase(WritingDatabase):
    """Waits for its turn before each statement."""

    turns: Turns | None = None

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        await self._turn()
        return await super().fetch_all(sql, params)

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        await self._turn()
        await super().execute(sql, params)

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            await self._turn()
        await super().executemany(sql, rows)

    async def command(self, sql: str) -> str:
        await self._turn()
        return await super().command(sql)

    async def run_script(self, script: str, result: int) -> list[Row]:
        await self._turn()
        return await super().run_script(script, result)

    async def _turn(self) -> None:
        if self.turns is not None:
            await self.turns.next()


@dataclass
class World:
    """What the nodes share, and what the test notes of them."""

    clock: SharedClock
    rng: Random
    monitor: psycopg.Connection[tuple[Any, ...]]
    """Reads between the statements of the nodes."""
    verdicts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    """The answers to the deliveries of each CallSid."""
    faults: list[str] = field(default_factory=list)
    """What must never happen, and did."""
    refused: list[Exception] = field(default_factory=list)

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return self.monitor.execute(sql, params).fetchall()


class SteppedNode:
    """The parts of one node that write, on one stepped connection."""

    def __init__(self, database: SteppedDatabase, world: World) -> None:
        self._database = database
        self._world = world
        self._rng = Random(world.rng.random())
        self._connection = WritingConnection(database)
        self.writer = Writer(self._connection)
        self._store = Store(None, self.writer, self._connection, is_checked=True)
        log: Logger = create_logger(io.StringIO(), now=world.clock.now, style="json")
        watch = ClockWatch(world.clock, lambda _stepped_s: None)
        self._queue = DueQueue()
        timers = Timers(world.clock, self._read_no_timers, dict.fromkeys(Lane, self._queue), watch)
        reports = StatusReports(self._store, POLICY, world.clock, log, watch, timers.add)
        self.intake = Intake(
            self._store, POLICY, world.clock, log, watch, timers.add, reports.apply_call_report
        )
        self._reports = reports
        self._recorder = AttemptRecorder(self._store, POLICY, world.clock, log, timers)
        self._operator = Operator(self._store, POLICY, world.clock, log, timers.add)

    @property
    def backend_pid(self) -> int:
        return self._database.connection.info.backend_pid

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        """Read on the node's connection."""
        return await self._connection.read(unit)

    async def close(self) -> None:
        await self._connection.close()

    async def take_in(self, turns: Turns) -> None:
        """A node that does not lead: calls, reports and suppressions, drawn by its seed."""
        steps = (self._admit, self._admit, self.report, self._suppress)
        await self.play(turns, *self._rng.choices(steps, k=4))

    async def lead(self, turns: Turns) -> None:
        """The leading node claims what is due, records that it was accepted, and rolls up."""
        steps = (self.claim, self.claim, self._admit, self._roll_up)
        await self.play(turns, *self._rng.choices(steps, k=5))

    async def play(self, turns: Turns, *steps: Callable[[], Awaitable[None]]) -> None:
        """These steps, one after the other; each statement waits for its turn."""
        self._database.turns = turns
        for step in steps:
            await step()
        self._database.turns = None

    async def call_of(self, caller: str) -> None:
        """A missed call to the website's number."""
        at = self._world.clock.now()
        await self.intake.admit_all(
            [call(f"sid-{to_us(at)}-{caller}", at, caller=caller, dialled=(WEBSITE,))]
        )

    async def _read_no_timers(self, after_us: int, until_us: int) -> list[Timer]:
        return []

    async def _admit(self) -> None:
        calls = [self._draw_call() for _ in range(self._rng.choice((1, 1, 2, 3)))]
        for each, verdict in zip(calls, await self.intake.admit_all(calls), strict=True):
            if isinstance(verdict, Exception):
                self._world.refused.append(verdict)
                continue
            self._world.verdicts.setdefault(each.call_sid, Counter())[verdict] += 1

    def _draw_call(self) -> InboundCall:
        # Few CallSids and few callers, so that two nodes have the same ones in the same instant.
        number = self._rng.randrange(8)
        caller = CALLERS[number % len(CALLERS)]
        exophone = (WEBSITE, WEBSITE, YES, NO)[number % 4]
        at = self._world.clock.now()
        return call(f"sid-{to_us(at)}-{number}", at, caller=caller, dialled=(exophone,))

    async def claim(self) -> None:
        """Claim what is due, and record that the provider accepted it."""
        now = self._world.clock.now()
        rows = self._world.rows(
            """SELECT id FROM actions WHERE wake_at <= %s AND state IN ('planned', 'held')
               AND kind IN ('callback', 'sms') ORDER BY id LIMIT 4""",
            to_us(now),
        )
        suppressed = self._suppressed()
        entries = [(to_us(now), action_id) for (action_id,) in rows]
        claims = await self._recorder.claim(self._queue, entries, 4) if entries else None
        for claimed in claims.claimed if claims else ():
            if claimed.action.number in suppressed & self._suppressed():
                self._world.faults.append(f"{claimed.action.number} is contacted while it is suppressed")
            await self._accept(claimed)
        self._check_agent()

    def _suppressed(self) -> set[str]:
        return {number for (number,) in self._world.rows("SELECT number FROM suppressions")}

    def _check_agent(self) -> None:
        ((busy,),) = self._world.rows(
            """SELECT count(*) FROM actions
               WHERE kind = 'callback' AND state IN ('attempting', 'placed') AND details ->> 'agent' = %s""",
            AGENT,
        )
        if busy > 1:
            self._world.faults.append(f"{busy} calls to one agent at once")

    async def _accept(self, claimed: ClaimedAction) -> None:
        answer = Accepted(f"out-{claimed.action.id}")
        now = self._world.clock.now()
        await self._recorder.record(
            claimed, interpret_answer(answer, claimed.action.kind, claimed.attempt, now, self._rng)
        )

    async def report(self, only: Kind | None = None) -> None:
        """A report that one of the placed actions has ended; a call if there is none."""
        rows = self._world.rows("SELECT id, kind FROM actions WHERE state = 'placed' ORDER BY id")
        rows = [row for row in rows if only in (None, row[1])]
        if not rows:
            return await self._admit()
        action_id, kind = self._rng.choice(rows)
        status = self._rng.choice(("completed", "no-answer")) if kind == Kind.CALLBACK else "sent"
        sid = f"out-{action_id}"
        fields = {"Status": status, "CallSid": sid, "SmsSid": sid}
        await self._reports.apply(action_id, Kind(kind), StatusReport(sid, status, fields=fields))
        return None

    async def _suppress(self) -> None:
        number = self._rng.choice(CALLERS)
        actor = Actor(Source.API)
        if number in self._suppressed():
            await self._operator.perform(actor, Unsuppress(number))
        else:
            await self._operator.perform(actor, Suppress(number, "asked by mail", None))

    async def _roll_up(self) -> None:
        later = self._world.clock.now() + timedelta(hours=2)
        mark = await settled_rows.mark_newest_rows(self._store)
        if await settled_rows.is_mark_settled(self._store, mark):
            unit = partial(roll_up, grid=hour_grid_for(INDIA), now=later, calls_per_bucket=3, up_to=mark.rows)
            await self._store.write(unit, offload=True, locks=settled_rows.ROLLUP_LOCKS)


async def open_node(location: PostgresqlLocation, world: World, writer_id: int) -> SteppedNode:
    """A node on a connection of its own."""
    factory = ConnectionFactory(location)
    database = SteppedDatabase(factory, await factory.connect(), writer_id)
    return SteppedNode(database, world)


def find_faults(world: World, found: Iterable[str] = ()) -> list[str]:
    """What is wrong in the database after a run, one line each."""
    faults = [*world.faults, *found]
    for sid, verdicts in world.verdicts.items():
        decided = sum(count for verdict, count in verdicts.items() if verdict is not Verdict.REDELIVERED)
        if decided != 1:
            faults.append(f"{sid} was decided {decided} times")
    rows = world.rows(
        """SELECT a.caller, a.campaign FROM calls a JOIN calls b
             ON b.caller = a.caller AND b.campaign = a.campaign AND b.id > a.id
           WHERE a.verdict = 'accepted' AND b.verdict = 'accepted'
             AND abs(a.called_at - b.called_at) < 300000000"""
    )
    faults += [f"{caller} was accepted twice by {name}" for caller, name in rows]
    rows = world.rows(
        """SELECT number, count(*) FROM actions WHERE kind = 'callback' AND state IN ('planned', 'held')
           GROUP BY number, campaign HAVING count(*) > 1"""
    )
    faults += [f"{number} is owed {count} callbacks" for number, count in rows]
    rows = world.rows(
        """SELECT l.number, l.count, count(c.id) FROM leads l JOIN calls c
             ON c.caller = l.number AND c.campaign = l.campaign AND c.verdict IN ('accepted', 'duplicate')
           GROUP BY l.number, l.count HAVING l.count != count(c.id)"""
    )
    faults += [f"the lead of {number} counts {count} of {calls} calls" for number, count, calls in rows]
    rows = world.rows(
        """SELECT id FROM actions WHERE state = 'held' AND reason = 'agent-busy' AND wake_at > %s
           AND NOT EXISTS (SELECT 1 FROM actions busy
                           WHERE busy.kind = 'callback' AND busy.state IN ('attempting', 'placed'))""",
        to_us(world.clock.now()),
    )
    return faults + [f"action {action_id} waits for a call that is over" for (action_id,) in rows]


async def run_nodes(nodes: Sequence[SteppedNode], body: Any) -> None:
    """Run `body` while the writers and the intakes of the nodes run."""
    async with trio.open_nursery() as nursery:
        for node in nodes:
            nursery.start_soon(node.writer.run)
            nursery.start_soon(node.intake.run)
        await body()
        nursery.cancel_scope.cancel()
