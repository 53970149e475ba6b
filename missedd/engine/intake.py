"""Intake: many callers' requests, one transaction, and only then their answers.

While a batch commits the next one gathers, so that batches grow with the load and a lone call
never waits for company.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import trio

from missedd.clock import Clock, to_iso
from missedd.core.model import RECOVERED, InboundCall, StatusReport, Verdict
from missedd.core.policy import Policy
from missedd.engine.timers import Timers
from missedd.log import Event, Level, Logger
from missedd.store.admit import Admitted, admit
from missedd.store.database import NotDurable
from missedd.store.store import Store

BATCH = 256
"""Calls to a transaction: where the rows themselves cost more than the fsync they share."""

MAILBOX = 4096
"""Calls that may wait: about a second of the busiest burst. Beyond it the answer is 503 at once,
and Exotel sends the call again minutes later, which is better than an answer after its patience."""


class Overloaded(Exception):
    """The mailbox is full; the caller should be asked to come again."""


@dataclass(slots=True, eq=False)
class _Waiting:
    call: InboundCall
    decided: trio.Event = field(default_factory=trio.Event)
    verdict: Verdict | None = None
    report_for: int | None = None
    failure: Exception | None = None


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
    ) -> None:
        """`report` is told of requests on the missed-call address that are about callbacks of ours,
        `on_refusal` that a call could not be kept and has to be sent again.
        """
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._timers = timers
        self._report = report
        self._on_refusal = on_refusal
        self._send, self._receive = trio.open_memory_channel[_Waiting](MAILBOX)

    async def admit(self, call: InboundCall) -> Verdict:
        """Decide one call and return its verdict once that is durable.

        Raises `NotDurable` when it could not be made durable and `Overloaded` when too many wait
        already, or the daemon stops. A caller that goes away abandons its wait; the call is decided
        all the same.
        """
        waiting = _Waiting(call)
        try:
            verdict = await self._decided(self._enqueue(waiting))
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
        waiting = [self._enqueue(_Waiting(call)) for call in calls]
        found: list[Verdict | Exception] = []
        for each in waiting:
            try:
                found.append(await self._decided(each))
            except Exception as failure:
                # One call that is beyond us must not keep the others from being served.
                found.append(failure)
        return found

    def _enqueue(self, waiting: _Waiting) -> _Waiting:
        try:
            self._send.send_nowait(waiting)
        except (trio.WouldBlock, trio.ClosedResourceError):
            raise Overloaded from None
        return waiting

    async def _decided(self, waiting: _Waiting) -> Verdict:
        await waiting.decided.wait()
        if waiting.failure is not None:
            raise waiting.failure
        if waiting.verdict is None:
            raise AssertionError("decided without a verdict")
        return waiting.verdict

    def close(self) -> None:
        """Take no more; `run` ends when what waits is decided."""
        self._send.close()

    async def run(self) -> None:
        async for first in self._receive:
            batch = [first, *self._more()]
            if not await self._decide(batch):
                # Something in the batch is beyond us: let it harm only itself.
                for each in batch:
                    await self._decide([each], alone=True)

    def _more(self) -> list[_Waiting]:
        waiting: list[_Waiting] = []
        while len(waiting) < BATCH - 1:
            try:
                waiting.append(self._receive.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        return waiting

    async def _decide(self, batch: list[_Waiting], *, alone: bool = False) -> bool:
        """Admit a batch and answer its waiters; False if it failed and should be tried one by one."""
        calls = [each.call for each in batch]
        unit = partial(admit, calls=calls, policy=self._policy, received_at=self._clock.now())
        try:
            admitted = await self._store.write(unit)
        except NotDurable as failure:
            self._log.error(
                Event.STORE_COMMIT_FAILED, unit="admit", error=str(failure), refused_calls=len(batch)
            )
            for each in batch:
                each.failure = NotDurable(str(failure))
                each.decided.set()
            return True
        except Exception as failure:
            if not alone and len(batch) > 1:
                return False
            # Passed on, not swallowed: the edge logs it and answers 503.
            batch[0].failure = failure
            batch[0].decided.set()
            return True
        for waiting, decided in zip(batch, admitted, strict=True):
            self._timers.add(decided.wakes)
            waiting.verdict = decided.admission.verdict
            waiting.report_for = decided.report_for
            waiting.decided.set()
            self._note(decided)
        return True

    def _note(self, decided: Admitted) -> None:
        call, admission = decided.call, decided.admission
        level: Level = "warning" if admission.verdict is Verdict.UNKNOWN_EXOPHONE else "info"
        self._log.write(
            level,
            Event.CALL_RECOVERED if call.shape == RECOVERED else Event.WEBHOOK_ADMITTED,
            call_sid=call.call_sid,
            campaign=admission.campaign,
            caller=call.caller,
            exophone=admission.exophone,
            verdict=admission.verdict,
            reason=admission.reason,
            called_at=to_iso(admission.called_at),
            actions=[f"{each.kind}:{each.outcome or each.state}" for each in admission.actions],
        )
