"""Intake: many callers' requests, one transaction, and only then their answers.

While a batch commits the next one gathers, so that batches grow with the load and a lone call
never waits for company.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from missedd.base.clock import Clock
from missedd.core.model import InboundCall, Kind, StatusReport, Verdict
from missedd.core.policy import Policy
from missedd.engine.intake.cancellation_log import note_cancelled, note_told_early
from missedd.engine.intake.intake_log import AdmissionLog
from missedd.engine.intake.intake_queue import Overloaded, Queue, Waiting
from missedd.engine.timing.timers import Timers
from missedd.log.logger import Event, Logger
from missedd.store.admission.admit import Admitted, admit
from missedd.store.db.database import NotDurable
from missedd.store.store import Store

__all__ = ["Intake", "Overloaded"]


class Intake:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        timers: Timers,
        report: Callable[[int, StatusReport], Awaitable[None]],
        on_refusal: Callable[[], None] = lambda: None,
        on_admitted: Callable[[], None] = lambda: None,
        on_vote: Callable[[str], None] = lambda _poll: None,
    ) -> None:
        """`report` is told of requests on the missed-call address that are about callbacks of ours,
        `on_refusal` that a call could not be kept and has to be sent again, `on_admitted` that one
        was, `on_vote` in which poll somebody has voted.
        """
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._told = AdmissionLog(log)
        self._timers = timers
        self._report = report
        self._on_refusal = on_refusal
        self._on_admitted = on_admitted
        self._on_vote = on_vote
        self._queue = Queue()

    async def admit(self, call: InboundCall) -> Verdict:
        """Decide one call and return its verdict once that is durable.

        Raises `NotDurable` when it could not be made durable and `Overloaded` when too many wait
        already, the store takes too long, or the daemon stops. A caller that goes away abandons its
        wait; the call is decided all the same.
        """
        try:
            waiting = self._queue.put(call)
            verdict = await self._decided(waiting)
        except Exception:
            self._on_refusal()
            raise
        if waiting.report_for is not None and call.report is not None:
            # A Passthru in the flow of a callback of ours tells how that callback ended; only when
            # that is kept as well is the request acknowledged.
            await self._report(waiting.report_for, call.report)
        return verdict

    async def admit_all(self, calls: Sequence[InboundCall]) -> list[Verdict | Exception]:
        """Decide calls in their order, as `admit` does each: the verdict of each, or why it has none."""
        waiting = [self._queue.put(call) for call in calls]
        found: list[Verdict | Exception] = []
        for each in waiting:
            try:
                found.append(await self._decided(each))
            except Exception as failure:
                # One call that is beyond us must not keep the others from being served.
                found.append(failure)
        return found

    async def _decided(self, waiting: Waiting) -> Verdict:
        await waiting.decided.wait()
        if waiting.failure is not None:
            raise waiting.failure
        if waiting.verdict is None:
            raise AssertionError("decided without a verdict")
        return waiting.verdict

    def close(self) -> None:
        """Take no more; `run` ends when what waits is decided."""
        self._queue.close()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._queue.watch, name="intake's patience")
            nursery.start_soon(self._told.run, name="intake's log")
            while batch := await self._queue.batch():
                if not await self._decide(batch):
                    # Something in the batch is beyond us: let it harm only itself.
                    for each in batch:
                        await self._decide([each], alone=True)
            self._told.tell()
            nursery.cancel_scope.cancel()

    async def _decide(self, batch: list[Waiting], *, alone: bool = False) -> bool:
        """Admit a batch and answer its waiters; False if it failed and should be tried one by one."""
        calls = [each.call for each in batch]
        unit = partial(
            admit,
            calls=calls,
            policy=self._policy,
            received_at=self._clock.now(),
            ahead=self._timers.watch.ahead(call.called_at for call in calls),
        )
        try:
            admitted = await self._store.write(unit)
        except NotDurable as failure:
            self._log.repeated(
                "error",
                Event.STORE_COMMIT_FAILED,
                "admit",
                unit="admit",
                error=str(failure),
                refused_calls=len(batch),
            )
            for each in batch:
                each.fail(NotDurable(str(failure)))
            return True
        except Exception as failure:
            if not alone and len(batch) > 1:
                return False
            # Passed on, not swallowed: the edge logs it and answers 503.
            batch[0].fail(failure)
            return True
        self._log.ended(Event.STORE_COMMIT_FAILED, "admit")
        for waiting, decided in zip(batch, admitted, strict=True):
            self.follow(decided)
            waiting.decide(decided.admission.verdict, decided.report_for)
        return True

    def follow(self, decided: Admitted) -> None:
        """What follows once a call is on disk: its timers, its line in the log, and its place in the sums."""
        self._timers.add(decided.wakes)
        self._told.note(decided)
        note_cancelled(self._log, decided.cancelled)
        note_told_early(self._log, decided)
        self._on_admitted()
        if self._policy.polls:
            for planned in decided.admission.actions:
                if planned.kind is Kind.VOTE:
                    self._on_vote(planned.details["poll"])
