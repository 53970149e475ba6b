"""One connection: read a request, answer it, and repeat until one side ends the connection.

Requests of a connection are answered one after the other in one task. So a pipelining peer gets its replies
in order, and backpressure stops a peer that sends too fast. While the site works on an answer, nothing here
cancels it: a peer that has left is noticed when its reply cannot be written, and time limits apply only to
reading and writing. Only the end of the listener's drain cancels an answer.
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
"""Bytes read at a time: many times a webhook, and the most that is parsed ahead of a pipelining peer."""

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
    """We closed it while its peer was silent."""


IDLE_PHASES = (ConnectionPhase.FRESH, ConnectionPhase.IDLE)
"""No request is in progress, as far as we know."""


class HttpConnection:
    """One connection. `serve` returns when it ends, and never raises because of what a peer does."""

    def __init__(
        self,
        stream: trio.SocketStream,
        respond: Respond,
        limits: ListenerLimits,
        on_refusal: OnRejection,
        stop: trio.Event,
    ) -> None:
        self._stream = stream
        # We read and write the descriptor directly. A trio stream runs a checkpoint after each read and
        # each write, even if it need not wait. Here each task waits for its request and for its answer
        # anyway, which is enough checkpoints.
        self._descriptor = stream.socket.fileno()
        self._respond = respond
        self._limits = limits
        self._on_refusal = on_refusal
        self._is_draining = stop.is_set()
        self._parser = RequestParser(limits)
        self._phase = ConnectionPhase.FRESH
        self._now_s = trio.lowlevel.current_clock().current_time
        self._phase_began_s = self._now_s()
        self._deadline_s = inf
        self._is_timed_out = False
        self._timeout_scope = trio.CancelScope()
        """One scope for the whole connection, cancelled by `enforce_deadline`. A scope around each read and
        each write would cost a quarter of the throughput; moving the deadline of one scope would still cost
        a twentieth."""

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
        """The listener stops: a silent connection ends soon, but not at once.

        A new peer is about to send a request, and a proxy may send one on a kept connection at any moment. A
        request that is on its way is answered, as the last one of its connection.
        """
        self._is_draining = True
        if self._phase in IDLE_PHASES:
            self._deadline_s = min(self._deadline_s, trio.current_time() + self._limits.drain_first_byte_s)

    def enforce_deadline(self, now_s: float) -> None:
        """End the connection if its phase has passed its time limit; called every `check_every_s`."""
        if now_s < self._deadline_s or self._close_if_idle():
            return
        # Bytes that have just arrived are a request in time; by the next check it has a limit of its own. A
        # peer that sends bytes without a request does not get one.
        if self._phase not in IDLE_PHASES or now_s >= self._deadline_s + 2 * self._limits.check_every_s:
            self._is_timed_out = True
            self._timeout_scope.cancel()

    def evict_if_idle(self) -> bool:
        """Close it if it has been silent for a while, to make room for a new one; whether it was closed."""
        return (
            trio.current_time() >= self._phase_began_s + self._limits.min_idle_before_evict_s
            and self._close_if_idle()
        )

    def _close_if_idle(self) -> bool:
        """Close it if no request is in progress; unread bytes in the socket count as a request.

        There is no checkpoint between the check and the close. Otherwise a request could arrive in between,
        and its peer would get a reset.
        """
        if self._phase not in IDLE_PHASES or self._stream.socket.is_readable():
            return False
        self._phase = ConnectionPhase.ENDED
        self._stream.socket.close()
        return True

    async def _serve_requests(self) -> RequestError | None:
        """Answer requests until the connection should close; return the error to send first, if any."""
        with self._timeout_scope:
            # A peer that connects and stays silent has as much time as a whole request; less during a drain.
            self._set_deadline(
                self._limits.drain_first_byte_s if self._is_draining else self._limits.receive_s
            )
            return await self._answer_all()
        # A time limit passed. A peer that does not read its reply gets no error either.
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
        """Answer one complete request; False if it was the last one of the connection."""
        # From here to the reply there is no time limit. A limit may have passed while the last bytes came in;
        # then the request is late, and this checkpoint raises before the site sees the request.
        self._deadline_s = inf
        if self._is_timed_out:
            await trio.lowlevel.checkpoint()
        self._phase = ConnectionPhase.ANSWERING
        reply = await self._respond(arrived.path, arrived.request)
        is_last = not arrived.keep_alive or self._is_draining
        without_body = arrived.request.method == "HEAD"
        await self._send(reply.to_bytes(is_last=is_last, without_body=without_body))
        return not is_last

    async def _receive(self) -> bytes:
        """Wait for bytes of the peer; b"" if it sends no more. Runs a checkpoint."""
        while True:
            await trio.lowlevel.wait_readable(self._descriptor)
            if self._phase is ConnectionPhase.ENDED:
                raise trio.ClosedResourceError  # the descriptor may belong to another file by now
            try:
                return os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                continue  # the socket was not readable after all

    async def _send(self, data: bytes) -> None:
        try:
            sent = os.write(self._descriptor, data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._phase = ConnectionPhase.WRITING
            self._set_deadline(self._limits.write_s)
            await self._stream.send_all(data[sent:])

    def _enter_next_phase(self) -> None:
        """Enter the next phase and set its time limit.

        A limit counts from the start of its phase: single bytes that arrive do not extend it.
        """
        if self._parser.is_receiving:
            if self._phase is not ConnectionPhase.RECEIVING:
                self._phase = ConnectionPhase.RECEIVING
                self._set_deadline(self._limits.receive_s)
        elif self._phase not in IDLE_PHASES:
            self._phase = ConnectionPhase.IDLE
            # If the stop came during the last reply, the peer was not told that it was the last one.
            self._set_deadline(self._limits.drain_first_byte_s if self._is_draining else self._limits.idle_s)

    def _set_deadline(self, seconds: float) -> None:
        self._phase_began_s = self._now_s()
        self._deadline_s = self._phase_began_s + seconds


async def send_rejection(
    stream: trio.SocketStream, error: RequestError, limits: ListenerLimits, on_refusal: OnRejection
) -> None:
    """Send the error, then close the connection so that the peer can read the error.

    Closing a socket with unread bytes sends a reset, which can overtake the reply. So we read and discard
    what the peer still sends, up to the limits for a lingering close.
    """
    on_refusal(error.status, error.why)
    reply = TRY_AGAIN if error.status == 503 else problem_reply(error.status, "Not understood", error.why)
    with trio.move_on_after(limits.lingering_close_s):
        await stream.send_all(reply.to_bytes(is_last=True, without_body=False))
        await stream.send_eof()
        unread = limits.lingering_close_bytes
        while unread > 0 and (data := await stream.receive_some(_READ_BYTES)):
            unread -= len(data)
