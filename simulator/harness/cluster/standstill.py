"""Makes one daemon stand still while time and the other daemons go on, as SIGSTOP would.

Trio drives a task by `task.coro.send(...)`. The tasks of a daemon that may stand still have a coroutine of
ours around their own. While the daemon stands still, a step that trio asks for is put off: the task blocks
again, and its own coroutine does not notice. Afterwards all those steps run, in the order in which trio
asked for them. So timeouts that passed meanwhile have passed, answers that came meanwhile are there, and no
line of the daemon ran in between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any

import trio
from trio.lowlevel import Abort, Task


class Standstill:
    """Whether one daemon stands still, and the tasks whose next step waits for its end."""

    def __init__(self) -> None:
        self._waiting: list[Task] = []
        self.since_s: float | None = None
        """Since when the daemon stands still, on trio's clock; None while it runs."""

    def begin(self) -> None:
        if self.since_s is None:
            self.since_s = trio.current_time()

    def end(self) -> None:
        self.since_s = None
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            trio.lowlevel.reschedule(task)

    def put_off(self, task: Task) -> None:
        self._waiting.append(task)

    async def adopt_current_task(self) -> None:
        """Make the current task, and all tasks that it will start, stand still with the daemon."""
        task = trio.lowlevel.current_task()
        task.coro = _StoppableCoroutine(task, task.coro, self)  # type: ignore[assignment] # trio calls only send
        await trio.lowlevel.checkpoint()

    async def run[T](self, work: Callable[[], Awaitable[T]], nursery: trio.Nursery) -> T:
        """Run `work` in a task of `nursery` that stands still with the daemon, and wait for its result.

        Who is cancelled waits no longer, and `work` is cancelled as soon as the daemon goes on.
        """
        results: list[T | Exception] = []
        ended, scope = trio.Event(), trio.CancelScope()

        async def run() -> None:
            with scope:
                await self.adopt_current_task()
                try:
                    results.append(await work())
                except Exception as failure:
                    results.append(failure)
            ended.set()

        nursery.start_soon(run)
        try:
            await ended.wait()
        finally:
            scope.cancel()
        (result,) = results
        if isinstance(result, Exception):
            raise result
        return result


async def _block() -> None:
    """Block the current task until it is rescheduled; a cancellation waits until then."""
    await trio.lowlevel.wait_task_rescheduled(lambda _: Abort.FAILED)


class _StoppableCoroutine(Coroutine[Any, Any, Any]):
    """The coroutine of a task, whose steps are put off while the daemon stands still."""

    def __init__(self, task: Task, inner: Coroutine[Any, Any, Any], standstill: Standstill) -> None:
        self._task = task
        self._inner = inner
        self.standstill = standstill
        self._sent: Any = None
        self._blocked: Coroutine[Any, Any, Any] | None = None
        """What keeps the task blocked while its step, with the value `_sent`, is put off."""

    def send(self, value: Any) -> Any:
        if self._blocked is not None:
            self._blocked.close()
            self._blocked, value = None, self._sent
        if self.standstill.since_s is None:
            self._sent = None
            return self._inner.send(value)
        self._sent = value
        self._blocked = _block()
        self.standstill.put_off(self._task)
        return self._blocked.send(None)

    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> Any:
        return self._inner.throw(typ, val, tb) if isinstance(typ, type) else self._inner.throw(typ)

    def close(self) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        """What trio asks of a coroutine beside its steps, such as `cr_frame`."""
        return getattr(self._inner, name)

    def __await__(self) -> Any:
        raise AssertionError("trio sends; nobody awaits a task's coroutine")


class FollowParents(trio.abc.Instrument):
    """Makes each task stand still with the task that started it."""

    def task_spawned(self, task: Task) -> None:
        nursery = task.parent_nursery
        parent = None if nursery is None else nursery.parent_task.coro
        if isinstance(parent, _StoppableCoroutine):
            task.coro = _StoppableCoroutine(task, task.coro, parent.standstill)
