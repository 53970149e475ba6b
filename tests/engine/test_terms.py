"""A node that loses the lead and wins it again: it takes in all the time, and sends in its terms only."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs

import httpx
import trio
from trio.testing import MockClock

from missedd.config.loader import Settings, load_settings_table
from missedd.config.secrets import Secrets
from missedd.core.model import InboundCall, Lane, StatusReport
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.build import Engine, build_engine
from missedd.engine.engine import running_node
from missedd.engine.environment import Environment
from missedd.engine.leader.build import LeaderSetup
from missedd.engine.leader.leader import LeaderState
from missedd.engine.news_receiver import NodeNewsReceiver
from missedd.engine.webhooks.webhook_sender import new_webhook_client
from missedd.exotel.client import new_exotel_client
from missedd.log.logger import create_logger
from missedd.store.actions.rows import Timer
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import Store, open_store
from tests.core.campaigns import EXOPHONE, call
from tests.engine.leadership.shared_terms import Election, FakeLeadership
from tests.engine.scene import Disk, WallClock

SECRETS = Secrets("key", "token", "webhook-token-of-16", "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cyE=")
ELSEWHERE = LeaderState(hold_reasons={})


class Outside:
    """Exotel and the application: which actions' requests arrived, and when. An answer takes `takes_s`."""

    def __init__(self) -> None:
        self.takes_s = 0.3
        self.calls: list[int] = []
        self.webhooks: list[str] = []
        self.lookups = 0

    async def exotel(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.lookups += 1
            return httpx.Response(200, json={"Metadata": {}, "Calls": []})
        form = parse_qs(request.content.decode())
        self.calls.append(int(form["CustomField"][0]))
        await trio.sleep(self.takes_s)
        return httpx.Response(200, json={"Call": {"Sid": f"sid-{len(self.calls)}", "Status": "queued"}})

    async def application(self, request: httpx.Request) -> httpx.Response:
        self.webhooks.append(json.loads(request.content)["data"]["call_sid"])
        await trio.sleep(self.takes_s)
        return httpx.Response(200)


@dataclass
class CollectedNews:
    """What a node told the others."""

    timers: list[Timer] = field(default_factory=list)
    catch_ups: int = 0
    polls: list[str] = field(default_factory=list)

    def wake(self, timers: Iterable[Timer]) -> None:
        self.timers += timers

    def request_catch_up(self) -> None:
        self.catch_ups += 1

    def publish_poll(self, poll: str) -> None:
        self.polls.append(poll)


@dataclass
class NodeScene:
    engine: Engine
    leadership: FakeLeadership
    outside: Outside
    news: CollectedNews
    store: Store
    disk: Disk
    clock: WallClock
    lines: io.StringIO

    async def ring(self, *sids: str) -> None:
        for sid in sids:
            await self.engine.intake.admit(self.inbound(sid))

    def inbound(self, sid: str) -> InboundCall:
        return call(sid, self.clock.now(), caller=f"+9198765{int(sid.removeprefix('c')):05}")

    async def attempts(self) -> list[tuple[Any, ...]]:
        return await self.store.read(
            lambda db: db.fetch_all("SELECT action_id, number, result FROM attempts ORDER BY id")
        )

    async def states(self, kind: str = "callback") -> list[tuple[Any, ...]]:
        return await self.store.read(
            lambda db: db.fetch_all("SELECT id, state FROM actions WHERE kind = ? ORDER BY id", (kind,))
        )


def settings(folder: Path) -> Settings:
    raw = {
        "exotel": {"account_sid": "example1", "api_base": "http://exotel.example", "catch_up": False},
        "campaign": [
            {
                "name": "shop",
                "exophones": [EXOPHONE],
                "callback": {"flow": "1", "delay": "5s", "retries": ["10m"]},
                "webhook": {"url": "http://127.0.0.1:9/hook"},
            }
        ],
    }
    return load_settings_table(raw, "", folder / "a test")


@asynccontextmanager
async def node(folder: Path, *, leads: bool = True) -> AsyncIterator[NodeScene]:
    """A node of a shared database. With `leads` its first term has begun when the block begins."""
    of, clock, disk, lines = settings(folder), WallClock(), Disk(), io.StringIO()
    outside, news = Outside(), CollectedNews()
    leadership = FakeLeadership(Election())
    log = create_logger(lines, style="json", now=clock.now)
    world = Environment(clock, Random(1), InlineDriver(disk.fault, disk.pause))
    if leads:
        leadership.win()
    async with (
        open_store(world.driver, folder / "missedd.db", "a test") as store,
        new_exotel_client(httpx.MockTransport(outside.exotel)) as exotel_http,
        new_webhook_client(httpx.MockTransport(outside.application)) as webhook_http,
    ):
        engine = build_engine(of, world, log, store, news, lambda: ELSEWHERE)
        setup = LeaderSetup(
            settings=of,
            secrets=SECRETS,
            clock=clock,
            clock_watch=engine.clock_watch,
            rng=world.rng,
            log=log,
            exotel_http=exotel_http,
            webhook_http=webhook_http,
            public_url="http://here",
            admit=engine.intake.admit_all,
            catch_up_trigger=engine.link.catch_up_trigger,
        )
        async with running_node(engine, setup, leadership):
            yield NodeScene(engine, leadership, outside, news, store, disk, clock, lines)


async def test_everything_due_goes_out_once_over_two_terms(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with node(tmp_path) as scene:
        await scene.ring("c1", "c2")
        await trio.sleep(6)
        assert len(scene.outside.calls) == 2
        scene.leadership.lose()
        await trio.sleep(1)
        assert scene.engine.leader is None
        await scene.ring("c3", "c4")
        await trio.sleep(60)
        assert len(scene.outside.calls) == 2, "who does not lead sends nothing"
        assert {timer.lane for timer in scene.news.timers} == {Lane.VOICE, Lane.WEBHOOK}
        scene.leadership.win()
        await trio.sleep(120)
        placed = [action_id for action_id, _ in await scene.states()]
        assert len(placed) == 4
        assert sorted(scene.outside.calls) == sorted(placed), "each once"
        assert sorted(scene.outside.webhooks) == ["c1", "c2", "c3", "c4"]


async def test_a_request_in_flight_when_the_term_is_lost_is_looked_up_and_never_repeated(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path) as scene:
        await scene.ring("c1")
        await trio.sleep(1)
        scene.outside.takes_s = 5.0
        await trio.sleep(5)
        (calls,) = [list(scene.outside.calls)]
        assert len(calls) == 1
        scene.leadership.lose()
        await trio.sleep(30)
        assert [result for *_, result in await scene.attempts() if result is None] == [None]
        assert scene.outside.lookups == 0
        scene.leadership.win()
        await trio.sleep(600)
        assert scene.outside.calls == calls
        assert scene.outside.lookups > 0


async def test_who_does_not_know_yet_that_another_leads_writes_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path) as scene:
        await scene.ring("c1")
        await trio.sleep(2)
        before = await scene.attempts()
        states = await scene.states()
        scene.leadership.lose(knows=False)
        await trio.sleep(10)
        assert scene.engine.leader is None, "its claim was the write that told it"
        assert scene.leadership.election.stopped_writes >= 1
        assert scene.outside.calls == []
        assert await scene.attempts() == before
        assert await scene.states() == states
        # Reports, operators and calls are no part of a term.
        await scene.ring("c2")
        stopped = scene.leadership.election.stopped_writes
        await trio.sleep(300)
        assert scene.leadership.election.stopped_writes == stopped, "nothing tries again and again"
        scene.leadership.win()
        await trio.sleep(60)
        assert sorted(scene.outside.calls) == [action_id for action_id, _ in await scene.states()]


async def test_a_loss_during_recovery_ends_that_term_alone(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with node(tmp_path, leads=False) as scene:
        await scene.ring("c1")
        scene.leadership.win()
        scene.leadership.lose(knows=False)
        await trio.sleep(30)
        assert scene.engine.leader is None
        assert scene.outside.calls == []
        scene.leadership.win()
        await trio.sleep(30)
        assert len(scene.outside.calls) == 1


async def test_what_is_committed_during_a_recovery_is_not_lost(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path, leads=False) as scene:
        scene.disk.takes_s = 1.0  # the recovery takes several seconds
        scene.leadership.win()
        for index in range(1, 9):
            await scene.ring(f"c{index}")
        scene.disk.takes_s = 0.0
        await trio.sleep(120)
        placed = [action_id for action_id, _ in await scene.states()]
        assert len(placed) == 8
        assert sorted(scene.outside.calls) == placed


async def test_a_database_that_is_away_ends_no_node(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with node(tmp_path) as scene:
        await scene.ring("c1", "c2")
        scene.disk.is_full = True
        await trio.sleep(60)
        assert scene.outside.calls == []
        scene.disk.is_full = False
        await trio.sleep(60)
        assert sorted(scene.outside.calls) == [action_id for action_id, _ in await scene.states()]


async def test_an_orderly_stop_drains_and_hands_the_term_over(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path) as scene:
        await scene.ring("c1")
        await trio.sleep(1)
        scene.outside.takes_s = 2.0
        await trio.sleep(4.5)
        assert len(scene.outside.calls) == 1
        leadership, folder = scene.leadership, tmp_path
    assert leadership.handed_over == [1]
    async with open_store(InlineDriver(), folder / "missedd.db", "a test") as store:
        rows = await store.read(lambda db: db.fetch_all("SELECT result FROM attempts"))
    assert {result for (result,) in rows} == {"accepted"}, "what was in flight got its answer"


async def test_a_node_that_stops_while_another_leads_hands_nothing_over(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path, leads=False) as scene:
        await scene.ring("c1")
        leadership = scene.leadership
    assert leadership.handed_over == []


async def test_a_node_that_does_not_lead_says_what_the_leader_says(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path, leads=False) as scene:
        assert await scene.engine.health_line() == "takes in; another node leads"
        assert scene.engine.leader_state() is ELSEWHERE
        assert scene.engine.link.timer_count() == 0
        scene.leadership.win()
        await trio.sleep(1)
        assert "due: voice 0" in await scene.engine.health_line()
        leader = scene.engine.leader
        assert leader is not None
        leader.troubles.record(TroubleKind.EXPIRING, "shop", "many expire", "look", scene.clock.now())
        assert [each.subject for each in scene.engine.leader_state().troubles] == ["shop"]


async def test_news_of_others_reach_the_leaders_parts_and_the_live_pages(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path, leads=False) as scene:
        vacancies: list[None] = []
        changes = scene.engine.poll_changes
        receiver = NodeNewsReceiver(scene.engine.link, changes, lambda: vacancies.append(None))
        await scene.ring("c1")
        timers = list(scene.news.timers)
        receiver.add_timers(timers)  # nobody is there to take them
        receiver.reread_due()
        scene.leadership.win()
        await trio.sleep(0.1)
        leader = scene.engine.leader
        assert leader is not None
        receiver.add_timers(timers)
        receiver.reread_due()
        receiver.request_catch_up()
        receiver.leadership_is_vacant()
        assert len(vacancies) == 1
        before = changes.version("best"), changes.version("worst")
        receiver.poll_changed("best")
        assert (changes.version("best"), changes.version("worst")) == (before[0] + 1, before[1])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(changes.wait, "worst", changes.version("worst"))
            await trio.sleep(1)
            receiver.poll_changed(None)  # otherwise the nursery waits for ever
        await trio.sleep(60)
        assert scene.outside.calls == [action_id for action_id, _ in await scene.states()]
        assert scene.outside.webhooks == ["c1"]


async def test_a_report_on_a_node_that_does_not_lead_wakes_the_leader_by_news(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path) as scene:
        await scene.ring("c1")
        await trio.sleep(6)
        (action_id,) = scene.outside.calls
        scene.leadership.lose()
        await trio.sleep(1)
        scene.news.timers.clear()
        fields = {"CallSid": "sid-1", "Status": "no-answer"}
        report = StatusReport("sid-1", "no-answer", is_terminal=True, fields=fields)
        await scene.engine.apply_status_report("call", action_id, report)
        assert ("done",) in [row[1:] for row in await scene.states() if row[0] == action_id]
        assert {timer.lane for timer in scene.news.timers} == {Lane.VOICE}, "the callback is tried again"


async def test_a_refused_call_asks_the_leader_for_a_catch_up(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path, leads=False) as scene, trio.open_nursery() as nursery:
        scene.disk.is_full = True

        async def refused() -> None:
            try:
                await scene.ring("c1")
            except Exception as failure:
                assert "full" in str(failure)  # noqa: PT017 - any refusal asks

        nursery.start_soon(refused)
        await trio.sleep(1)
        scene.disk.is_full = False
        assert scene.news.catch_ups == 1
