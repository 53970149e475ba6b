"""Who may stay and who gives way when the listener is full of silent peers."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from missedd.web.public.limits import ListenerLimits
from tests.web.peers import GOOD, running_listener


async def test_silent_peers_give_way_to_new_ones_the_longest_inside_first(autojump_clock: MockClock) -> None:
    async with running_listener(
        limits=ListenerLimits(max_connections=3, min_idle_before_evict_s=0.1)
    ) as served:
        silent = [await served.connect() for _ in range(2)]
        half = await served.connect()
        await half.send(GOOD[:-4])
        await trio.sleep(0.15)
        assert await served.answers_ok()
        assert await silent[0].connection_ends()
        await silent[1].send(GOOD)
        assert (await silent[1].read_response()).status == 200
        await half.send(GOOD[-4:])
        assert (await half.read_response()).status == 200
        for peer in (*silent, half):
            await peer.stream.aclose()
    assert served.refused == []


async def test_a_flood_of_silent_peers_keeps_nobody_out_for_long(autojump_clock: MockClock) -> None:
    async with running_listener(
        limits=ListenerLimits(max_connections=20, min_idle_before_evict_s=0.1)
    ) as served:
        flood = [await served.connect() for _ in range(60)]
        await trio.sleep(0.15)
        for _ in range(30):
            assert await served.answers_ok()
        for peer in flood:
            await peer.stream.aclose()
