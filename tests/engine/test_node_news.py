"""What a node tells the others and hears from them, and what it knows of a leader elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Lane, StatusReport
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.intake.catch_up_trigger import TRIGGER_DELAY_S
from missedd.engine.leader.rollup_worker import RollupWorker
from missedd.engine.news_receiver import NodeNewsReceiver
from tests.core.campaigns import SECOND_EXOPHONE, call
from tests.engine.node_scene import ELSEWHERE, NodeScene, node


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


async def test_news_of_others_wake_the_leader_before_it_reads(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path) as scene:
        receiver = NodeNewsReceiver(scene.engine.link, scene.engine.poll_changes, lambda: None)
        await trio.sleep(0.1)
        receiver.add_timers(await scene.ring_elsewhere("c1"))
        await trio.sleep(0.1)
        assert scene.outside.webhooks == ["c1"]
        await scene.ring_elsewhere("c2")
        receiver.reread_due()
        await trio.sleep(0.1)
        assert scene.outside.webhooks == ["c1", "c2"]
        await scene.ring_elsewhere("c3")
        await trio.sleep(0.1)
        assert scene.outside.webhooks == ["c1", "c2"]
        await trio.sleep(1)
        assert scene.outside.webhooks == ["c1", "c2", "c3"], "lost news only delay"


async def test_news_change_nothing_while_another_node_leads(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path, leads=False) as scene:
        receiver = NodeNewsReceiver(scene.engine.link, scene.engine.poll_changes, lambda: None)
        receiver.add_timers(await scene.ring_elsewhere("c1"))
        receiver.reread_due()
        await trio.sleep(60)
        assert scene.outside.webhooks == []


async def test_news_of_others_reach_catch_up_live_pages_and_elections(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with node(tmp_path, leads=False) as scene:
        vacancies: list[None] = []
        changes = scene.engine.poll_changes
        receiver = NodeNewsReceiver(scene.engine.link, changes, lambda: vacancies.append(None))
        receiver.leadership_is_vacant()
        assert len(vacancies) == 1
        before = changes.version("best"), changes.version("worst")
        receiver.poll_changed("best")
        assert (changes.version("best"), changes.version("worst")) == (before[0] + 1, before[1])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(changes.wait, "worst", changes.version("worst"))
            await trio.sleep(1)
            receiver.poll_changed(None)  # otherwise the nursery waits for ever
        receiver.request_catch_up()
        assert await catch_up_after_s(scene) == TRIGGER_DELAY_S


async def catch_up_after_s(scene: NodeScene) -> float:
    """When the next round of catch-up would begin that otherwise begins in an hour."""
    began_s = trio.current_time()
    await scene.engine.link.catch_up_trigger.wait(at_most_s=3600)
    return round(trio.current_time() - began_s)


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
        assert await catch_up_after_s(scene) == TRIGGER_DELAY_S - 1, "this node may lead by then"


async def test_calls_of_a_term_are_counted_for_its_rollups(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    async with node(tmp_path) as scene:
        monkeypatch.setattr(
            RollupWorker, "on_admitted", lambda _worker: counted.append(scene.leadership.election.epoch)
        )
        await scene.ring("c1")
        scene.leadership.lose()
        await trio.sleep(1)
        await scene.ring("c2")
        scene.leadership.win()
        await trio.sleep(1)
        await scene.ring("c3")
    assert counted == [1, 3]


async def test_all_nodes_are_told_of_a_vote_whoever_leads(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with node(tmp_path) as scene:
        for index in range(2):
            version = scene.engine.poll_changes.version("singer")
            voter = f"+9198765{index:05}"
            await scene.engine.intake.admit(
                call(f"v{index}", scene.clock.now(), caller=voter, dialled=(SECOND_EXOPHONE,))
            )
            assert scene.engine.poll_changes.version("singer") == version + 1
            assert scene.news.polls == ["singer"] * (index + 1)
            scene.leadership.lose()
            await trio.sleep(1)
