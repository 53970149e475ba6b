"""Rendering a page beside everything else that this thread does.

A page of some thousand pieces takes ten milliseconds or more, in which no call could be answered;
so the others get their turn in between.
"""

from __future__ import annotations

from typing import Final

import trio
from quart import stream_template

PIECES_PER_TURN: Final = 150
"""So many are made in about a millisecond."""


async def render_page(name: str, **context: object) -> str:
    """The template of this name, with the context that every page has."""
    pieces: list[str] = []
    async for piece in await stream_template(name, **context):
        pieces.append(piece)
        if len(pieces) % PIECES_PER_TURN == 0:
            await trio.lowlevel.checkpoint()
    return "".join(pieces)
