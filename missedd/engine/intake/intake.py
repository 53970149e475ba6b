"""Intake: decides many calls in one transaction, and answers their webhooks only after the commit.

While one batch commits, the next batch gathers. So batches grow with the load, and a single call never
waits for others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from missedd.base.clock import Clock
from missedd.core.model import InboundCall, Kind, StatusReport, Verdict
from missedd.core.policy import Policy
from missedd.engine.intake.cancellation_log import log_cancelled, log_early_report
from missedd.engine.intake.intake_log import IntakeLog
from missedd.engine.intake.intake_queue import IntakeQueue, Overloaded, PendingCall
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.timing.timers import Wake
from missedd.log.logger import Event, Logger
from missedd.store.admission.admit import admit
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.db.database import NotDurable
from missedd.store.db.lock_keys import LockKeys
from missedd.store.store import Store

__all__ = ["Intake", "Overloaded"]


class Intake:
    """Admits calls in batches."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Clock,
        log: Logger,
        clock_watch: ClockWatch,
        wake: Wake,
        on_callback_report: Callable[[int, StatusReport], Awaitable[None]],
        on_refusal: Callable[[], None] = lambda: None,
        on_admitted: Callable[[], None] = lambda: None,
        on_vote: Callable[[str], None] = lambda _poll: None,
    ) -> None:
        """Take the parts and the callbacks that follow a decision.

        `on_callback_report` gets requests on the missed-call address that report on one of our callbacks.
        `on_refusal` is called if a call was not committed and Exotel must send it again. `on_admitted` is
        called after each committed call, `on_vote` with the name of a poll that got a vote.
        """
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._intake_log = IntakeLog(log)
        self._clock_watch = clock_watch
        self._wake = wake
        self._on_callback_report = on_callback_report
        self._on_refusal = on_refusal
        self._on_admitted = on_admitted
        self._on_vote = on_vote
        self._queue = IntakeQueue(store.max_wait_s)

    async def admit(self, call: InboundCall) -> Verdict:
        """Decide one call and return its verdict once it is durable.

        Raises `NotDurable` if the call could not be committed. Raises `Overloaded` if too many calls wait,
        the store takes too long, or the daemon stops. If the client disconnects, the call is still decided.
        """
        try:
            waiting = self._queue.put(call)
            verdict = await waiting.decision()
        except Exception:
            self._on_refusal()
            raise
        if waiting.report_for is not None and call.report is not None:
            # A Passthru in the flow of one of our callbacks reports how that callback ended. Answer
            # the request only after the report is committed as well.
            await self._on_callback_report(waiting.report_for, call.report)
        return verdict

    async def admit_all(self, calls: Sequence[InboundCall]) -> list[Verdict | Exception]:
        """Decide calls in their order, each as `admit` does. Returns a verdict or an exception for each."""
        waiting = [self._queue.put(call) for call in calls]
        results: list[Verdict | Exception] = []
        for pending in waiting:
            try:
                results.append(await pending.decision())
            except Exception as failure:
                # A call that fails must not prevent the others from being served.
                results.append(failure)
        return results

    def close(self) -> None:
        """Accept no more calls. `run` ends when all waiting calls are decided."""
        self._queue.close()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._queue.refuse_overdue, name="intake's patience")
            nursery.start_soon(self._intake_log.run, name="intake's log")
            while batch := await self._queue.next_batch():
                if not await self._admit_batch(batch):
                    # One call of the batch fails: try one by one, so that only this call is refused.
                    for pending in batch:
                        await self._admit_batch([pending], is_alone=True)
            self._intake_log.log_counted()
            nursery.cancel_scope.cancel()

    async def _admit_batch(self, batch: list[PendingCall], *, is_alone: bool = False) -> bool:
        """Admit a batch and resolve its calls. Returns False if it failed and should be tried one by one."""
        calls = [each.call for each in batch]
        unit = partial(
            admit,
            calls=calls,
            policy=self._policy,
            received_at=self._clock.now(),
            clock_ahead=self._clock_watch.clock_ahead(call.called_at for call in calls),
        )
        try:
            admitted = await self._store.write(unit, locks=_locks_of(calls))
        except NotDurable as failure:
            self._log.log_throttled(
                "error",
                Event.STORE_COMMIT_FAILED,
                "admit",
                unit="admit",
                error=str(failure),
                refused_calls=len(batch),
            )
            for pending in batch:
                pending.fail(NotDurable(str(failure)))
            return True
        except Exception as failure:
            if not is_alone and len(batch) > 1:
                return False
            # The exception is passed on: the public site logs it and answers 503.
            batch[0].fail(failure)
            return True
        self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "admit")
        for waiting, decided in zip(batch, admitted, strict=True):
            self.after_commit(decided)
            waiting.resolve(decided.admission.verdict, decided.own_callback_id)
        return True

    def after_commit(self, admitted: AdmittedCall) -> None:
        """Do what follows a committed call: timers, log lines, rollups, and changed polls."""
        self._wake(admitted.timers)
        self._intake_log.log_admission(admitted)
        if admitted.cancelled:
            log_cancelled(self._log, admitted.cancelled)
        if admitted.sent_callbacks:
            log_early_report(self._log, admitted)
        self._on_admitted()
        if self._policy.polls:
            for planned in admitted.admission.actions:
                if planned.kind is Kind.VOTE:
                    self._on_vote(planned.details["poll"])


def _locks_of(calls: Sequence[InboundCall]) -> LockKeys:
    """The callers and the CallSids of a batch."""
    callers = {call.caller for call in calls if call.caller is not None}
    return LockKeys(frozenset(callers.union([call.call_sid for call in calls])))
