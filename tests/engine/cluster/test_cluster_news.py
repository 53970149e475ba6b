"""News between nodes in virtual time: collected, sent at most four times a second, never waited for."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from missedd.core.cluster.news_message import MAX_WAKES
from missedd.core.model import Lane
from missedd.store.actions.rows import Timer
from tests.engine.cluster.cluster_scene import cluster_scene
from tests.postgresql_server import PostgresqlDatabase


async def test_timers_and_polls_reach_the_other_nodes_within_a_quarter_of_a_second(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        timers = [Timer(1_000, 7, Lane.VOICE), Timer(2_000, 8, Lane.LOOKUP)]
        second.news.wake(timers)
        second.news.publish_poll("singer")
        second.news.request_catch_up()
        await trio.sleep(0.3)
        assert first.heard.timers == timers
        assert first.heard.polls[-1] == "singer"
        assert first.heard.catch_ups == 1
        assert second.heard.timers == []  # not its own
        assert second.heard.catch_ups == 0


async def test_there_are_at_most_four_messages_a_second(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        sent = scene.bus.sent
        for number in range(1_000):
            second.news.wake([Timer(number, number, Lane.SMS)])
            second.news.publish_poll("singer")
            await trio.sleep(0.01)
        assert scene.bus.sent - sent <= 41
        await trio.sleep(1)
        assert {timer.action_id for timer in first.heard.timers} == set(range(1_000))
        assert scene.bus.sent - sent <= 42


async def test_too_many_timers_become_a_wish_to_read_the_database(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        rereads = first.heard.rereads
        second.news.wake([Timer(number, number, Lane.SMS) for number in range(MAX_WAKES + 1)])
        await trio.sleep(0.3)
        assert (first.heard.rereads, first.heard.timers) == (rereads + 1, [])


async def test_news_that_could_not_be_sent_become_a_wish_to_read_the_database(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        rereads = first.heard.rereads
        second.is_cut_off = True
        second.news.wake([Timer(1, 1, Lane.SMS)])
        second.news.request_catch_up()
        await trio.sleep(10)
        second.is_cut_off = False
        await trio.sleep(2)
        assert first.heard.rereads == rereads + 1
        assert first.heard.catch_ups == 1


async def test_after_a_cut_the_listener_listens_again_and_asks_for_everything(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        rereads = first.heard.rereads
        scene.bus.cut()
        await trio.sleep(2)
        assert first.heard.rereads == rereads + 1
        assert first.heard.polls[-1] is None
        second.news.publish_poll("singer")
        await trio.sleep(0.3)
        assert first.heard.polls[-1] == "singer"
