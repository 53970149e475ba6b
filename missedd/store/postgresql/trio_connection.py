"""psycopg's connection on trio. psycopg's protocol says what it waits for; only the waiting is ours.

There is no asyncio loop and no thread: the daemon's loop waits for the socket as it does for all others.
"""

from __future__ import annotations

import logging
import select
from typing import Any, Self

import psycopg
import trio
from psycopg import pq, waiting
from psycopg.abc import PQGen, PQGenConn
from psycopg.errors import _WaitTimeout
from psycopg.rows import TupleRow

from missedd.store.postgresql.value_types import VALUE_TYPES

_READ, _WRITE = waiting.WAIT_R, waiting.WAIT_W

# Whatever goes wrong reaches the caller as an error: without a handler psycopg's warnings would be printed.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class NoAnswer(psycopg.OperationalError):
    """The server has sent nothing for too long. The connection is closed."""


class TrioConnection(psycopg.AsyncConnection[TupleRow]):
    """A connection in autocommit, for one trio task at a time.

    If that task is cancelled while a statement runs, the connection is closed, and the server undoes the open
    transaction.
    """

    def __init__(self, pgconn: Any) -> None:
        super().__init__(pgconn)
        self.lock = trio.Lock()  # type: ignore[assignment]  # it is used by `async with` only
        self._autocommit = True
        self._adapters = VALUE_TYPES
        self.statement_names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        """The server's names of prepared statements, by text and types of the parameters."""
        self.answer_limit_s = float("inf")
        """How long the server may send nothing while it is asked for something."""

    async def wait[T](self, gen: PQGen[T], interval: float = 0.0, timeout: float | None = None) -> T:
        """Run one exchange with the server; raises `NoAnswer`, or `_WaitTimeout` after `timeout` seconds.

        `interval` has no meaning here; the signature is psycopg's.
        """
        socket = self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                if wanted & _WRITE and (ready := _poll(socket, wanted)):
                    # Nearly always the socket takes more, and to ask the loop would cost much more.
                    wanted = gen.send(ready)
                    continue
                limit_s = self.answer_limit_s if timeout is None else timeout
                with trio.move_on_after(limit_s) as waited:
                    ready = await _wait_ready(socket, wanted)
                if waited.cancelled_caught:
                    if timeout is not None:
                        raise _WaitTimeout
                    raise NoAnswer(f"the server has not answered for {limit_s:g} s")
                wanted = gen.send(ready)
        except StopIteration as finished:
            result: T = finished.value
            return result
        except (NoAnswer, trio.Cancelled):
            if self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                # What would come now are the answers to statements that nobody waits for any more.
                self.pgconn.finish()
            raise

    @classmethod
    async def connect_to(cls, conninfo: str) -> Self:
        """Connect to one host; the caller limits the time."""
        gen: PQGenConn[Self] = cls._connect_gen(conninfo)
        try:
            socket, wanted = next(gen)
            while True:
                socket, wanted = gen.send(await _wait_ready(socket, wanted))
        except StopIteration as finished:
            connection: Self = finished.value
            return connection

    def discard(self) -> None:
        """Close the connection at once; the server undoes what is not committed."""
        self._closed = True
        self.pgconn.finish()


def _poll(socket: int, wanted: int) -> int:
    """What of the wanted is ready now, as psycopg's numbers; 0 for nothing."""
    poll = select.poll()
    poll.register(socket, (select.POLLIN if wanted & _READ else 0) | select.POLLOUT)
    ready = 0
    for _, event in poll.poll(0):
        if event & ~select.POLLOUT:
            ready |= waiting.READY_R
        if event & select.POLLOUT:
            ready |= waiting.READY_W
    return ready


async def _wait_ready(socket: int, wanted: int) -> int:
    if wanted == _READ:
        await trio.lowlevel.wait_readable(socket)
        return waiting.READY_R
    if wanted == _WRITE:
        await trio.lowlevel.wait_writable(socket)
        return waiting.READY_W
    ready = 0
    async with trio.open_nursery() as nursery:

        async def wait_for(wait: Any, state: int) -> None:
            nonlocal ready
            await wait(socket)
            ready |= state
            nursery.cancel_scope.cancel()

        nursery.start_soon(wait_for, trio.lowlevel.wait_readable, waiting.READY_R)
        nursery.start_soon(wait_for, trio.lowlevel.wait_writable, waiting.READY_W)
    return ready
