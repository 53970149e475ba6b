"""Rendering of pages without blocking the thread.

A page of some thousand pieces takes 10 ms or more. Without pauses no call could be answered in that time, so
other work gets its turn between the pieces.
"""

from __future__ import annotations

from typing import Final

import trio
from quart import stream_template

PIECES_PER_TURN: Final = 150
"""The number of pieces that are rendered in about 1 ms."""


async def render_page(name: str, **context: object) -> str:
    """Render the template `name` with `context` and the context that every page has."""
    pieces: list[str] = []
    async for piece in await stream_template(name, **context):
        pieces.append(piece)
        if len(pieces) % PIECES_PER_TURN == 0:
            await trio.lowlevel.checkpoint()
    return "".join(pieces)
