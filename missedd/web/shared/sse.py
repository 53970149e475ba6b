"""Server-sent events: a stream sends a new snapshot whenever its subject has changed.

A stream reads a fresh snapshot before each event and never queues events. A client that reads slowly misses
the states in between, and costs no memory. The server does not cancel requests, so a stream itself checks
whether its client has left or the daemon stops; then it ends.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec
import trio
from quart import Response, request

from missedd.core.api_types.base import ApiObject
from missedd.web.shared.ports import PollFeed
from missedd.web.shared.problems import Problem

CLIENT_GONE: Final = "missedd.gone"
"""The key in a request's ASGI scope of a `trio.Event` that is set when the client has left."""

MAX_STREAMS: Final = 64
"""Streams at one time. Each one needs a file descriptor, and a query of the store for each change."""
MIN_GAP_S: Final = 0.5
"""The time between two events: at most two per second."""
HEARTBEAT_S: Final = 15.0
"""After this time without an event a comment is sent, so that a broken connection is noticed."""
RETRY_MS: Final = 2_000
"""How long a browser waits before it connects again, such as after a restart."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a stream sends. `next_change_s`: when the data changes by time alone, or None."""

    id: int
    data: ApiObject
    next_change_s: float | None = None


class EventStreams:
    """The open streams; at most `MAX_STREAMS`."""

    def __init__(self, poll_feed: PollFeed) -> None:
        self._poll_feed = poll_feed
        self._open = 0

    def response(self, subject: str, take_snapshot: Callable[[], Awaitable[Snapshot]]) -> Response:
        """The response to the current request: an event with a new snapshot whenever `subject` changes.

        Raises `Problem` (503) if too many streams are open.
        """
        if self._open >= MAX_STREAMS:
            raise Problem(503, f"{MAX_STREAMS} streams are open, and there may be no more")
        is_head = request.method == "HEAD"
        gone = request.scope[CLIENT_GONE]  # type: ignore[typeddict-item] # a key of our own
        response = Response(
            b"" if is_head else self._events(subject, take_snapshot, gone),
            content_type="text/event-stream; charset=utf-8",
        )
        response.timeout = None
        response.headers["X-Accel-Buffering"] = "no"  # without this a proxy would buffer events
        return response

    async def _events(
        self, subject: str, take_snapshot: Callable[[], Awaitable[Snapshot]], gone: trio.Event
    ) -> AsyncIterator[str]:
        changes, over = self._poll_feed, self._poll_feed.closed
        shown: ApiObject | None = None
        if self._open >= MAX_STREAMS:
            return  # several requests passed the check at once; a browser will connect again
        self._open += 1
        try:
            yield f"retry: {RETRY_MS}\n\n"
            spoke_at = trio.current_time()
            while not (gone.is_set() or over.is_set()):
                since = changes.version(subject)
                sight = await take_snapshot()
                looked_at = trio.current_time()
                if sight.data != shown:
                    shown, spoke_at = sight.data, looked_at
                    yield _format_event(sight)
                elif looked_at - spoke_at >= HEARTBEAT_S:
                    spoke_at = looked_at
                    yield ": still here\n\n"
                until = min(spoke_at + HEARTBEAT_S, looked_at + changes.reread_s)
                if sight.next_change_s is not None:
                    until = min(until, looked_at + sight.next_change_s)
                await _wait_for_first(looked_at + MIN_GAP_S, gone.wait, over.wait)
                await _wait_for_first(until, gone.wait, over.wait, partial(changes.wait, subject, since))
        finally:
            self._open -= 1


def _format_event(sight: Snapshot) -> str:
    data = json.dumps(msgspec.to_builtins(sight.data), ensure_ascii=False, separators=(",", ":"))
    return f"id: {sight.id}\ndata: {data}\n\n"


async def _wait_for_first(deadline: float, *waits: Callable[[], Awaitable[None]]) -> None:
    """Return when one of `waits` returns, or at the deadline (trio time)."""

    async def run(wait: Callable[[], Awaitable[None]]) -> None:
        await wait()
        nursery.cancel_scope.cancel()

    with trio.move_on_at(deadline):
        async with trio.open_nursery() as nursery:
            for wait in waits:
                nursery.start_soon(run, wait)
