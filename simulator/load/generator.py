"""The load generator: sends each request at its planned instant, even if earlier ones have no reply yet.

If no connection is free at that instant, the request waits for one, in order; its latency counts from the
planned instant. A request that waits longer than `start_within_s` is dropped and counted as dropped. So a
slow server shows as latency and drops, never as a lower rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from time import perf_counter
from typing import Final, NamedTuple

import trio

from simulator.load.connections import MAX_IN_A_ROW, LoadConnection, NoReply, ReadLoop, TargetAddress
from simulator.load.precise_sleep import precise_timer
from simulator.load.reply_parser import LoadReply
from simulator.load.requests import LoadRequest, RequestStream
from simulator.load.tally import LoadTally

TIMEOUT_CHECK_S: Final = 0.05
"""Interval between two checks for requests that wait too long."""

START_DELAY_S: Final = 0.1
"""From the last preparation to the first arrival."""


@dataclass(frozen=True, slots=True)
class LoadLimits:
    connections: int = 256
    warm_connections: int = 32
    """Connections that are open before the start."""
    start_within_s: float = 1.0
    reply_timeout_s: float = 15.0
    """Exotel's own timeout for a webhook."""


class _InFlight(NamedTuple):
    """A request that was sent and has no reply yet."""

    ordinal: int
    planned_s: float
    sent_s: float


class LoadGenerator:
    """One run against one address. Instants are of `perf_counter`; planned ones count from the start."""

    def __init__(
        self, address: TargetAddress, calls: RequestStream, limits: LoadLimits, tally: LoadTally
    ) -> None:
        self._calls = calls
        self._limits = limits
        self._results = tally
        self._address = address
        self._free: list[LoadConnection] = []
        """The connection used last is used next, so that a few connections do most of the work."""
        self._in_flight: dict[LoadConnection, _InFlight] = {}
        self._waiting: deque[tuple[float, LoadRequest]] = deque()
        self._connection_freed = trio.Event()
        self._sending = trio.CancelScope()
        self._closed_until_s = 0.0
        self.began_s = 0.0

    def stop(self) -> None:
        """Send no more requests; `run` returns when the requests in flight have ended."""
        self._closed_until_s = 0.0
        self._sending.cancel()

    async def run(self, instants: Iterable[float]) -> None:
        """Send a request at each planned instant. Raises OSError if the first connections fail."""
        async with self._open_connections():
            with self._sending:
                await self._send_all(instants)

    async def run_closed(self, for_s: float) -> None:
        """Closed loop: each connection sends its next request when it has its reply.

        This finds the server's maximum rate. Latencies count from the sending and mean little: while a
        server stalls, it gets no requests.
        """
        async with self._open_connections():
            self._closed_until_s = self.began_s + for_s
            with self._sending:
                await trio.sleep(START_DELAY_S)
                free, self._free = self._free, []
                for connection in free:
                    self._reuse_connection(connection)
                await trio.sleep(for_s)

    @asynccontextmanager
    async def _open_connections(self) -> AsyncIterator[None]:
        """Open connections; at the end of the block wait for the requests in flight, then close."""
        async with trio.open_nursery() as nursery:
            read_loop = ReadLoop(self._address, nursery)
            connections = [LoadConnection(read_loop, self._on_reply) for _ in range(self._limits.connections)]
            self._free = connections.copy()
            try:
                for connection in connections[-self._limits.warm_connections :]:
                    await connection.open()
                nursery.start_soon(read_loop.run)
                nursery.start_soon(self._enforce_timeouts)
                self.began_s = perf_counter() + START_DELAY_S
                yield
                while self._in_flight or self._waiting:
                    self._connection_freed = trio.Event()
                    await self._connection_freed.wait()
            finally:
                nursery.cancel_scope.cancel()
                for connection in connections:
                    connection.close()
                read_loop.close()

    async def _send_all(self, instants: Iterable[float]) -> None:
        began_s, tally = self.began_s, self._results
        again: list[tuple[float, int, LoadRequest]] = []
        in_a_row = 0
        with precise_timer() as clock:
            for instant in instants:
                while again and again[0][0] <= instant:
                    at_s, _, call = heappop(again)
                    await clock.wait_until(began_s + at_s)
                    self._arrive(call, began_s + at_s)
                planned_s = began_s + instant
                if perf_counter() < planned_s:
                    await clock.wait_until(planned_s)
                    in_a_row = 0
                elif in_a_row >= MAX_IN_A_ROW:
                    await trio.lowlevel.checkpoint()
                    in_a_row = 0
                in_a_row += 1
                call = self._calls.next()
                if call.resend_after_s is not None:
                    heappush(again, (instant + call.resend_after_s, call.call_index, call))
                tally.count_call()
                self._arrive(call, planned_s)

    def _arrive(self, call: LoadRequest, planned_s: float) -> None:
        self._results.planned += 1
        if self._free:
            self._send(self._free.pop(), call, planned_s)
        else:
            self._waiting.append((planned_s, call))

    def _send(self, connection: LoadConnection, call: LoadRequest, planned_s: float) -> None:
        sent_s = perf_counter()
        self._results.record_sent(sent_s - planned_s)
        self._in_flight[connection] = _InFlight(call.call_index, planned_s, sent_s)
        connection.send(call.request)

    def _on_reply(self, connection: LoadConnection, result: LoadReply | NoReply) -> None:
        out, tally = self._in_flight.pop(connection), self._results
        if isinstance(result, LoadReply):
            now_s = perf_counter()
            tally.record_latency(now_s - out.planned_s)
            tally.record_reply(out.ordinal, result.status, result.verdict)
            tally.took_s = now_s - self.began_s
        else:
            tally.failures[result.reason] += 1
        self._reuse_connection(connection)

    def _reuse_connection(self, connection: LoadConnection) -> None:
        """Send the next request on the connection, or mark the connection as free."""
        self._drop_late()
        if self._waiting:
            planned_s, call = self._waiting.popleft()
            self._send(connection, call, planned_s)
        elif self._closed_until_s and (now_s := perf_counter()) < self._closed_until_s:
            self._results.count_call()
            self._results.planned += 1
            self._send(connection, self._calls.next(), now_s)
        else:
            self._free.append(connection)
            self._connection_freed.set()

    def _drop_late(self) -> None:
        waiting = self._waiting
        if waiting:
            too_late_s = perf_counter() - self._limits.start_within_s
            while waiting and waiting[0][0] < too_late_s:
                waiting.popleft()
                self._results.dropped += 1

    async def _enforce_timeouts(self) -> None:
        """End requests that wait too long, with or without a connection. Runs until cancelled."""
        patience_s = self._limits.reply_timeout_s
        while True:
            await trio.sleep(TIMEOUT_CHECK_S)
            self._drop_late()
            now_s = perf_counter()
            for connection, out in list(self._in_flight.items()):
                if now_s - out.sent_s > patience_s:
                    # Count the time so far as a latency: the real one would have been longer.
                    self._results.record_latency(now_s - out.planned_s)
                    connection.abandon(f"no reply within {patience_s:g} s")
