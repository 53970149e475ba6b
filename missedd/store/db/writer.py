"""The actor that owns the writing connection, and so the order of all that happened.

Whatever waits when it turns to its mailbox goes into one transaction: under load an fsync is
shared by many, when idle nobody waits for company.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import trio

from missedd.store.db.database import DatabaseConnection, NotDurable, UnitOfWork

MAX_GROUP_SIZE = 64
"""Units to a transaction. Beyond some sixty, an fsync's share is small beside the rows themselves."""

QUEUE_SIZE = 4 * MAX_GROUP_SIZE
"""Clients wait here while a group commits; one that finds it full waits for a place."""

ERROR_LIFETIME_S = 60.0
"""How long a failed commit speaks for the state of the disk, where nobody has tried again."""


@dataclass(slots=True, eq=False)
class _Request:
    unit: UnitOfWork[Any]
    done: trio.Event = field(default_factory=trio.Event)
    result: Any = None
    on_commit: Callable[[Any], None] | None = None
    offload: bool = False


class Writer:
    """Use `write` from any trio task; `run` is the actor, to be started in a nursery of its own."""

    def __init__(self, connection: DatabaseConnection) -> None:
        self._connection = connection
        self._last_failure: tuple[float, str] | None = None
        self.commit_failures = 0
        self._send, self._receive = trio.open_memory_channel[_Request](QUEUE_SIZE)

    async def write[T](
        self, unit: UnitOfWork[T], on_commit: Callable[[T], None] | None = None, *, offload: bool = False
    ) -> T:
        """Run a unit durably and return its result.

        A brief unit, a handful of statements that find their rows by an index, runs on the loop's own
        thread; one that may look at many rows is to run `aside`, where nobody's answer waits for it.

        Raises `NotDurable` if it could not be committed, and whatever the unit itself raised. A
        caller cancelled meanwhile abandons the wait, not the work: what must follow the commit in
        any case, such as a timer for what was planned, belongs into `on_commit`, which is called with
        the result as soon as it is durable.
        """
        request = _Request(unit, on_commit=on_commit, offload=offload)
        try:
            await self._send.send(request)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise NotDurable("the store is closed") from None
        await request.done.wait()
        if isinstance(request.result, BaseException):
            raise request.result
        result: T = request.result
        return result

    async def run(self) -> None:
        """Commit groups until `close` has been called and the mailbox is empty."""
        group: list[_Request] = []
        try:
            async for first in self._receive:
                group = [first, *self._take_waiting()]
                self._deliver_results(group, await self._commit(group))
                group = []
        finally:
            # Cancelled or broken: whoever waits, shielded or not, must hear of it.
            abandoned = group
            while more := self._take_waiting():
                abandoned += more
            self._receive.close()
            self._deliver_results(abandoned, [NotDurable("the store was stopped") for _ in abandoned])

    async def _commit(self, group: list[_Request]) -> list[Any]:
        try:
            aside = any(each.offload for each in group)
            results = await self._connection.write([each.unit for each in group], offload=aside)
            # Beside a bad unit each has a transaction of its own, and is told of it alone.
            self._note_failures([result for result in results if isinstance(result, NotDurable)])
            return results
        except NotDurable as failure:
            self._note_failures([failure])
            # A fresh exception for each, as a shared one would collect everybody's tracebacks.
            return [NotDurable(*failure.args) for _ in group]

    def _note_failures(self, failures: list[NotDurable]) -> None:
        self.commit_failures += len(failures)
        self._last_failure = (trio.current_time(), str(failures[-1])) if failures else None

    def _deliver_results(self, group: list[_Request], results: list[Any]) -> None:
        for request, result in zip(group, results, strict=True):
            request.result = result
            if request.on_commit is not None and not isinstance(result, BaseException):
                request.on_commit(result)
            request.done.set()

    def _take_waiting(self) -> list[_Request]:
        waiting: list[_Request] = []
        while len(waiting) < MAX_GROUP_SIZE - 1:
            try:
                waiting.append(self._receive.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        return waiting

    @property
    def last_commit_error(self) -> str | None:
        """Why the last group could not be committed; None if it was, or if that is long ago."""
        if self._last_failure is None or trio.current_time() - self._last_failure[0] > ERROR_LIFETIME_S:
            return None
        return self._last_failure[1]

    def close(self) -> None:
        """Take no more; `run` ends when what waits is done. Later writes raise `NotDurable`."""
        self._send.close()
