"""One peer's connection: read a request, answer it, again, until either side has had enough.

Requests are answered one after the other in one task, so a pipelining peer gets its replies in
order, and a peer that is not read from sends no more. While the site works on an answer nothing
here can cancel it: a peer that leaves is noticed when its reply cannot be written, and time limits
are for reading and writing. Only the end of the listener's own drain cuts an answer off.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from math import inf

import trio

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.public.http_parser import ParsedRequest, RequestError, RequestParser
from missedd.web.public.limits import ListenerLimits
from missedd.web.public.responses import CONTINUE, TRY_AGAIN, HttpReply, problem_reply

type Respond = Callable[[str, WebhookRequest], Awaitable[HttpReply]]
type OnRejection = Callable[[int, str], None]

_READ_BYTES = 16 * 1024
"""Bytes read at a time: many times a webhook, and the most that a pipelining peer gets parsed ahead."""

REQUEST_TIMEOUT = RequestError(408, "the request did not arrive in time")
INCOMPLETE_REQUEST = RequestError(400, "the peer stopped in the middle of its request")


class ConnectionPhase(Enum):
    FRESH = auto()
    """Before the first byte."""
    IDLE = auto()
    """Between two requests."""
    RECEIVING = auto()
    ANSWERING = auto()
    WRITING = auto()
    ENDED = auto()
    """By our own word, while its peer said nothing."""


IDLE_PHASES = (ConnectionPhase.FRESH, ConnectionPhase.IDLE)
"""Nothing is under way that we have heard of."""


class HttpConnection:
    """The life of one connection; `serve` returns when it is over and never raises for a peer's doing."""

    def __init__(
        self,
        stream: trio.SocketStream,
        respond: Respond,
        limits: ListenerLimits,
        on_refusal: OnRejection,
        stop: trio.Event,
    ) -> None:
        self._stream = stream
        # The conversation reads and writes the descriptor itself. A stream, and trio's socket below it,
        # give others a turn after each read and each write that need not wait; here one task a connection
        # waits for its request and for its answer, and that is turns enough.
        self._descriptor = stream.socket.fileno()
        self._respond = respond
        self._limits = limits
        self._on_refusal = on_refusal
        self._stop = stop
        self._parser = RequestParser(limits)
        self._phase = ConnectionPhase.FRESH
        self._phase_began_s = trio.current_time()
        self._deadline_s = inf
        self._timeout_scope = trio.CancelScope()
        """One scope for the whole conversation, cancelled from outside by `enforce_deadline`: a scope around
        each read and each write costs a quarter of the throughput, and moving the deadline of one
        scope still a twentieth."""

    async def serve(self) -> None:
        try:
            fault = await self._serve_requests()
            if fault is not None:
                await send_rejection(self._stream, fault, self._limits, self._on_refusal)
        except (trio.BrokenResourceError, OSError):
            pass  # the peer is gone
        except trio.ClosedResourceError:
            if self._phase is not ConnectionPhase.ENDED:
                raise

    def drain(self) -> None:
        """The listener stops: a silent connection ends soon, and not at once.

        A peer connects in order to ask, and a proxy that keeps a connection may send on it at any moment:
        what is on its way is answered, as the last one.
        """
        if self._phase in IDLE_PHASES:
            self._deadline_s = min(self._deadline_s, trio.current_time() + self._limits.drain_first_byte_s)

    def enforce_deadline(self, now_s: float) -> None:
        """End what has taken longer than its limit; to be called every `check_every_s`."""
        if now_s < self._deadline_s or self._close_if_idle():
            return
        # Where bytes have just come in, they are a request in time; at the next look it has a limit of its
        # own. A peer that only babbles has not.
        if self._phase not in IDLE_PHASES or now_s >= self._deadline_s + 2 * self._limits.check_every_s:
            self._timeout_scope.cancel()

    def evict_if_idle(self) -> bool:
        """End it if it has been silent for a while, as somebody else finds no room; False if it has not."""
        return (
            trio.current_time() >= self._phase_began_s + self._limits.min_idle_before_evict_s
            and self._close_if_idle()
        )

    def _close_if_idle(self) -> bool:
        """Close it if nothing is under way: bytes that lie in the socket are a request that was sent.

        It is closed in the same breath. Between a look and a later close a request could still come in, and
        its peer would be told of a reset.
        """
        if self._phase not in IDLE_PHASES or self._stream.socket.is_readable():
            return False
        self._phase = ConnectionPhase.ENDED
        self._stream.socket.close()
        return True

    async def _serve_requests(self) -> RequestError | None:
        """Answer requests until the connection is to close; returns what to refuse before that."""
        with self._timeout_scope:
            # A peer that connects and stays silent has as long as one whole request, if there is as long.
            self._set_deadline(
                self._limits.drain_first_byte_s if self._stop.is_set() else self._limits.receive_s
            )
            return await self._answer_all()
        # Patience ended. A peer that does not even take its reply is told nothing more.
        return REQUEST_TIMEOUT if self._phase is ConnectionPhase.RECEIVING else None

    async def _answer_all(self) -> RequestError | None:
        parser = self._parser
        while True:
            data = await self._receive()
            if not data:
                return INCOMPLETE_REQUEST if parser.is_receiving else None
            parser.feed(data)
            while parser.requests:
                if not await self._answer_one(parser.requests.popleft()):
                    return None
            if parser.error is not None:
                return parser.error
            self._enter_next_phase()
            if parser.wants_continue:
                parser.wants_continue = False
                await self._send(CONTINUE)

    async def _answer_one(self, arrived: ParsedRequest) -> bool:
        """Answer one whole request; False if it was the connection's last."""
        # From here to the reply no time limit exists. One may have struck while the last bytes came
        # in; then the request counts as late and leaves by this checkpoint, before anyone saw it.
        self._deadline_s = inf
        if self._timeout_scope.cancel_called:
            await trio.lowlevel.checkpoint()
        self._phase = ConnectionPhase.ANSWERING
        reply = await self._respond(arrived.path, arrived.request)
        is_last = not arrived.keep_alive or self._stop.is_set()
        without_body = arrived.request.method == "HEAD"
        self._phase = ConnectionPhase.WRITING
        self._set_deadline(self._limits.write_s)
        await self._send(reply.to_bytes(is_last=is_last, without_body=without_body))
        return not is_last

    async def _receive(self) -> bytes:
        """What the peer has sent, b"" once it sends no more; others get a turn."""
        while True:
            await trio.lowlevel.wait_readable(self._descriptor)
            if self._phase is ConnectionPhase.ENDED:
                raise trio.ClosedResourceError  # the descriptor may be another's by now
            try:
                return os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                continue  # the system had promised too much

    async def _send(self, data: bytes) -> None:
        try:
            sent = os.write(self._descriptor, data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            await self._stream.send_all(data[sent:])

    def _enter_next_phase(self) -> None:
        """Enter the next phase and set its time limit.

        A limit runs from where its phase began: bytes that trickle in do not move it.
        """
        if self._parser.is_receiving:
            if self._phase is not ConnectionPhase.RECEIVING:
                self._phase = ConnectionPhase.RECEIVING
                self._set_deadline(self._limits.receive_s)
        elif self._phase not in IDLE_PHASES:
            self._phase = ConnectionPhase.IDLE
            # Where the stop came while the last reply went out, its peer was not told that it is the last.
            self._set_deadline(
                self._limits.drain_first_byte_s if self._stop.is_set() else self._limits.idle_s
            )

    def _set_deadline(self, seconds: float) -> None:
        self._phase_began_s = trio.current_time()
        self._deadline_s = self._phase_began_s + seconds


async def send_rejection(
    stream: trio.SocketStream, error: RequestError, limits: ListenerLimits, on_refusal: OnRejection
) -> None:
    """Say why, then hang up in a way that lets the peer read it.

    Closing a socket on unread bytes sends a reset that can overtake the reply, so what the peer
    still sends is read and forgotten for a moment.
    """
    on_refusal(error.status, error.why)
    reply = TRY_AGAIN if error.status == 503 else problem_reply(error.status, "Not understood", error.why)
    with trio.move_on_after(limits.lingering_close_s):
        await stream.send_all(reply.to_bytes(is_last=True, without_body=False))
        await stream.send_eof()
        unread = limits.lingering_close_bytes
        while unread > 0 and (data := await stream.receive_some(_READ_BYTES)):
            unread -= len(data)
