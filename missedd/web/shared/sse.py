"""Server-sent events: what somebody watches, sent again whenever it has changed.

A stream reads anew before each event and never queues one, so a peer that reads slowly misses
states in between and costs nothing. It ends when its peer has left and when the daemon stops; as
nobody cancels a request here, it looks for both itself.
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
"""The key of a request's scope under which the event lies that is set when its peer has left."""

MAX_STREAMS: Final = 64
"""Streams at one time. Each is a file descriptor, and a look at the store for each change."""
MIN_GAP_S: Final = 0.5
"""Between two events: at most two a second."""
HEARTBEAT_S: Final = 15.0
"""After so much silence a comment goes out, that proxies and dead peers show themselves."""
RETRY_MS: Final = 2_000
"""How long a browser waits before it comes again, such as after a restart."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a stream shows. `next_change_s` is when it changes with time alone, if it will."""

    id: int
    data: ApiObject
    next_change_s: float | None = None


class EventStreams:
    """The streams that are open, no more than `MAX_STREAMS`."""

    def __init__(self, poll_feed: PollFeed) -> None:
        self._poll_feed = poll_feed
        self._open = 0

    def response(self, subject: str, take_snapshot: Callable[[], Awaitable[Snapshot]]) -> Response:
        """The answer to the request at hand: events with what `take_snapshot` gives, whenever `subject`
        changes."""
        if self._open >= MAX_STREAMS:
            raise Problem(503, f"{MAX_STREAMS} streams are open, and there may be no more")
        is_head = request.method == "HEAD"
        gone = request.scope[CLIENT_GONE]  # type: ignore[typeddict-item] # a key of our own
        response = Response(
            b"" if is_head else self._events(subject, take_snapshot, gone),
            content_type="text/event-stream; charset=utf-8",
        )
        response.timeout = None
        response.headers["X-Accel-Buffering"] = "no"  # else a proxy would collect events
        return response

    async def _events(
        self, subject: str, take_snapshot: Callable[[], Awaitable[Snapshot]], gone: trio.Event
    ) -> AsyncIterator[str]:
        changes, over = self._poll_feed, self._poll_feed.closed
        shown: ApiObject | None = None
        if self._open >= MAX_STREAMS:
            return  # several have passed the door at once; a browser will knock again
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
                until = spoke_at + HEARTBEAT_S
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
    """Return when one of these is over, or at the deadline."""

    async def run(wait: Callable[[], Awaitable[None]]) -> None:
        await wait()
        nursery.cancel_scope.cancel()

    with trio.move_on_at(deadline):
        async with trio.open_nursery() as nursery:
            for wait in waits:
                nursery.start_soon(run, wait)
