"""A node that loses the lead and wins it again: it takes in all the time, and sends in its terms only."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import open_store
from tests.engine.node_scene import node


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
