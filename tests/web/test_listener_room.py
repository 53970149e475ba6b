"""Who may stay and who gives way: at a stop, and when the listener is full of silent peers."""

from __future__ import annotations

import trio

from missedd.web.limits import Limits
from tests.web.peers import GOOD, serving


async def test_a_peer_that_has_just_connected_is_still_heard_at_a_stop() -> None:
    async with serving() as served:
        fresh = await served.connect()
        async with fresh.stream:
            await trio.sleep(0.05)
            served.stop.set()
            await trio.sleep(0.05)
            await fresh.send(GOOD)
            heard = await fresh.hear()
            assert (heard.status, heard.headers["connection"]) == (200, "close")
            assert await fresh.hears_the_end()


async def test_one_that_only_connected_does_not_hold_up_the_stop() -> None:
    async with serving(limits=Limits(fresh_s=0.1)) as served:
        silent = await served.connect()
        async with silent.stream:
            await trio.sleep(0.05)
            served.stop.set()
            with trio.fail_after(1):
                await served.ended.wait()
            assert await silent.hears_the_end()
    assert served.refused == []


async def test_silent_peers_give_way_to_new_ones_the_longest_inside_first() -> None:
    async with serving(limits=Limits(connections=3, spared_s=0.1)) as served:
        silent = [await served.connect() for _ in range(2)]
        half = await served.connect()
        await half.send(GOOD[:-4])
        await trio.sleep(0.15)
        assert await served.is_well()
        assert await silent[0].hears_the_end()
        await silent[1].send(GOOD)
        assert (await silent[1].hear()).status == 200
        await half.send(GOOD[-4:])
        assert (await half.hear()).status == 200
        for peer in (*silent, half):
            await peer.stream.aclose()
    assert served.refused == []


async def test_a_flood_of_silent_peers_keeps_nobody_out_for_long() -> None:
    async with serving(limits=Limits(connections=20, spared_s=0.1)) as served:
        flood = [await served.connect() for _ in range(60)]
        await trio.sleep(0.15)
        for _ in range(30):
            assert await served.is_well()
        for peer in flood:
            await peer.stream.aclose()
