"""Several nodes on one real PostgreSQL in virtual time; each may be cut off, asleep, or its clock wrong."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import trio

from missedd.base.clock import to_us
from missedd.core.cluster.node_state import NodeState
from missedd.engine.cluster.cluster_leadership import ClusterLeadership
from missedd.engine.cluster.cluster_news import ClusterNews
from missedd.engine.cluster.cluster_watch import ClusterWatch
from missedd.engine.cluster.membership import NodeIdentity
from missedd.engine.leadership.term import Term
from missedd.log.logger import create_logger
from missedd.store.actions.rows import Timer
from missedd.store.db.database import NotDurable
from tests.store.cluster.inline_coordination import InlineCoordination
from tests.store.cluster.news_bus import NewsBus

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def true_now() -> datetime:
    return NOON + timedelta(seconds=trio.current_time())


class Heard:
    """What a node heard from the others."""

    def __init__(self, on_vacant: Callable[[], None]) -> None:
        self.timers: list[Timer] = []
        self.polls: list[str | None] = []
        self.rereads = 0
        self.catch_ups = 0
        self._on_vacant = on_vacant

    def add_timers(self, timers: Iterable[Timer]) -> None:
        self.timers += timers

    def reread_due(self) -> None:
        self.rereads += 1

    def request_catch_up(self) -> None:
        self.catch_ups += 1

    def poll_changed(self, poll: str | None) -> None:
        self.polls.append(poll)

    def leadership_is_vacant(self) -> None:
        self._on_vacant()


class SceneNode:
    """One daemon, as far as the cluster is concerned. It leads by looking at its term ten times a second."""

    def __init__(self, conninfo: str, bus: NewsBus, name: str, *, config: str = "abc") -> None:
        self.name = name
        self.clock_error = timedelta(0)
        self.is_cut_off = False
        self.hangs_until_s = 0.0
        """Until when the database answers nothing."""
        self.slept_s = 0.0
        self.terms: list[tuple[float, Term]] = []
        """Each term, with trio's time at its begin."""
        self.drain_s = 0.0
        self.lead_error: Exception | None = None
        self.stopping = trio.Event()
        self.stopped = trio.Event()
        self._scope = trio.CancelScope()
        self._lines = io.StringIO()
        self.db = InlineCoordination(conninfo, bus, self._reach_database, lambda: to_us(true_now()))
        log = create_logger(self._lines, now=true_now, style="json")
        self.watch = ClusterWatch(log)
        self.news = ClusterNews(self.db, log)
        self.leadership = ClusterLeadership(
            self.db,
            NodeIdentity(name, f"10.0.0.1:{name}", "1.0", config),
            self,
            log,
            self.watch,
            slept_s=lambda: self.slept_s,
            describe=lambda: json.dumps({"said by": name}),
            on_joined=self.news.joined,
            on_vacant=self.news.announce_vacancy,
        )
        self.heard = Heard(self.leadership.ask_soon)

    def now(self) -> datetime:
        return true_now() + self.clock_error

    async def _reach_database(self) -> None:
        await trio.sleep(0.002)
        await trio.sleep_until(self.hangs_until_s)
        if self.is_cut_off:
            raise NotDurable("no route to host")

    @property
    def is_well(self) -> bool:
        """Whether this node may lead."""
        return not (self.is_cut_off or self.clock_error or trio.current_time() < self.hangs_until_s)

    @property
    def is_trusted(self) -> bool:
        return bool(self.terms) and self.terms[-1][1].is_trusted()

    @property
    def leads(self) -> bool:
        return self.leadership.state is NodeState.LEADS

    async def _lead(self, term: Term, task_status: trio.TaskStatus[None]) -> None:
        self.terms.append((trio.current_time(), term))
        task_status.started()
        if self.lead_error is not None:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.1)
            raise self.lead_error
        await self.stopping.wait()
        await trio.sleep(self.drain_s)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.news.send)
                    nursery.start_soon(self.news.receive, self.heard)
                    async with trio.open_nursery() as leading:
                        await leading.start(self.leadership.run, self._lead, self.stopping)
                        task_status.started()
                    nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await self.db.close()
            self.stopped.set()

    async def stop(self) -> None:
        """An orderly stop."""
        self.stopping.set()
        await self.stopped.wait()

    def kill(self) -> None:
        self._scope.cancel()

    def events(self, event: str | None = None) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._lines.getvalue().splitlines()]
        return [line for line in lines if event in (None, line["event"])]


@dataclass
class ClusterScene:
    conninfo: str
    nursery: trio.Nursery
    bus: NewsBus = field(default_factory=NewsBus)
    nodes: list[SceneNode] = field(default_factory=list)

    async def start(self, name: str, **how: Any) -> SceneNode:
        """A node that has taken its first decision."""
        node = self.make(name, **how)
        with trio.fail_after(5):
            await self.nursery.start(node.run)
        return node

    def make(self, name: str, **how: Any) -> SceneNode:
        node = SceneNode(self.conninfo, self.bus, name, **how)
        self.nodes.append(node)
        return node

    async def until_leads(self, node: SceneNode, within_s: float) -> None:
        with trio.fail_after(within_s):
            while not node.leads:
                await trio.sleep(0.01)

    async def never_two_trust(self) -> None:
        while True:
            trusting = [node.name for node in self.nodes if node.is_trusted and not node.stopped.is_set()]
            assert len(trusting) <= 1, trusting
            await trio.sleep(0.1)


@asynccontextmanager
async def cluster_scene(conninfo: str) -> AsyncIterator[ClusterScene]:
    async with trio.open_nursery() as nursery:
        scene = ClusterScene(conninfo, nursery)
        nursery.start_soon(scene.never_two_trust)
        yield scene
        for node in scene.nodes:
            node.kill()
        nursery.cancel_scope.cancel()
