"""Who may stay and who gives way when the listener is full of silent peers."""

from __future__ import annotations

import trio

from missedd.web.public.limits import Limits
from tests.web.peers import GOOD, serving


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
