"""The actor that owns the writing connection, and so the order of all changes.

All units that wait when the actor takes the next group go into one transaction. Under load many units
share one fsync; when idle no unit waits for others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import trio

from missedd.store.db.database import DatabaseConnection, NotDurable, UnitOfWork
from missedd.store.db.lock_keys import EVERYTHING, LockKeys

MAX_GROUP_SIZE = 64
"""Units per transaction. Beyond about sixty, a unit's share of the fsync is small beside its own rows."""

QUEUE_SIZE = 4 * MAX_GROUP_SIZE
"""Units that may wait while a group commits; when the queue is full, `write` waits for a place."""

ERROR_LIFETIME_S = 60.0
"""How long a failed commit is reported as the state of the disk while nobody tries to commit again."""


@dataclass(slots=True, eq=False)
class _Request:
    unit: UnitOfWork[Any]
    done: trio.Event = field(default_factory=trio.Event)
    result: Any = None
    on_commit: Callable[[Any], None] | None = None
    offload: bool = False
    locks: LockKeys = EVERYTHING


class Writer:
    """Call `write` from any trio task; start the actor, `run`, in a nursery of its own."""

    def __init__(self, connection: DatabaseConnection) -> None:
        self._connection = connection
        self._last_failure: tuple[float, str] | None = None
        self.commit_failures = 0
        self.counts = connection.counts
        self._send, self._receive = trio.open_memory_channel[_Request](QUEUE_SIZE)

    async def write[T](
        self,
        unit: UnitOfWork[T],
        on_commit: Callable[[T], None] | None = None,
        *,
        offload: bool = False,
        locks: LockKeys = EVERYTHING,
    ) -> T:
        """Run a unit durably and return its result.

        A brief unit is a handful of statements that find their rows by an index; it runs on the loop's
        thread. Use `offload` for a unit that may read many rows, so that no HTTP response waits for it.
        `locks` names what no other node may decide meanwhile; without it nobody else writes at all.

        Raises `NotDurable` if the unit could not be committed, and every error of the unit itself. If the
        caller is cancelled, only the wait ends; the unit still runs. So work that must follow the commit in
        any case, for example setting a timer, belongs in `on_commit`: it is called with the result as soon
        as that is durable.
        """
        request = _Request(unit, on_commit=on_commit, offload=offload, locks=locks)
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
            # Cancelled or broken: every caller of `write` that still waits, shielded or not, gets an error.
            abandoned = group
            while more := self._take_waiting():
                abandoned += more
            self._receive.close()
            self._deliver_results(abandoned, [NotDurable("the store was stopped") for _ in abandoned])

    async def _commit(self, group: list[_Request]) -> list[Any]:
        try:
            offload = any(request.offload for request in group)
            locks = group[0].locks
            for request in group[1:]:
                locks |= request.locks
            results = await self._connection.write(
                [request.unit for request in group], offload=offload, locks=locks
            )
            # After a failing unit each unit has run in a transaction of its own, and may fail by itself.
            self._note_failures([result for result in results if isinstance(result, NotDurable)])
            return results
        except NotDurable as failure:
            self._note_failures([failure])
            # A new exception for each caller: a shared one would collect the tracebacks of all.
            return [NotDurable(*failure.args) for _ in group]

    def _note_failures(self, failures: list[NotDurable]) -> None:
        self.commit_failures += len(failures)
        # While the database cannot be reached the connection says so, and it also notices the end of that.
        is_noted = bool(failures) and self._connection.outage is None
        self._last_failure = (trio.current_time(), str(failures[-1])) if is_noted else None

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
        """Why the last group could not be committed; None if it was, or after `ERROR_LIFETIME_S`."""
        if self._connection.outage is not None:
            return self._connection.outage
        if self._last_failure is None or trio.current_time() - self._last_failure[0] > ERROR_LIFETIME_S:
            return None
        return self._last_failure[1]

    def close(self) -> None:
        """Accept no more units; `run` ends when those that wait are done. Later writes raise `NotDurable`."""
        self._send.close()
