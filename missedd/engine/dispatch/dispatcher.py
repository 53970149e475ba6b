"""The dispatcher: sends due actions within the rate limit, and records each attempt before and after.

One dispatcher runs for each lane. It takes the newest due actions, and the store judges and claims them.
Their requests are sent only after that commit, several at a time. While the provider holds the lane,
due actions are held too, and only probes are sent: see `lane_probes`. A stop ends the claiming. Requests
in flight may go on until the daemon's deadline. If one is cut off there, the next start finds an attempt
without a result.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random

import trio

from missedd.base.clock import Clock
from missedd.core.model import Lane
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import Withheld, give_back, hold_with_lane, interpret_answer
from missedd.engine.dispatch.attempts import STORE_RETRY_S, AttemptRecorder, OnExpired
from missedd.engine.leadership.term import TOO_LATE, Term
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import Timers
from missedd.exotel.request_result import Answer
from missedd.log.logger import Event, Logger
from missedd.store.actions.claims import ClaimedAction, ClaimResult
from missedd.store.actions.provider_holds import release_lane
from missedd.store.db.database import NotDurable
from missedd.store.store import Store

JUDGE_BATCH = 64
"""Due actions judged in one transaction. It also sets how fast an expired backlog is cleared."""

type Send = Callable[[ClaimedAction], Awaitable[Answer]]


class Dispatcher:
    """Sends the due actions of one lane."""

    def __init__(
        self,
        *,
        lane: Lane,
        store: Store,
        policy: Policy,
        clock: Clock,
        rng: Random,
        log: Logger,
        due_queue: DueQueue,
        timers: Timers,
        send: Send,
        rate_limiter: RateLimiter | None,
        max_in_flight: int,
        breakers: CircuitBreakers,
        term: Term,
        on_expired: OnExpired = lambda campaign, kind: None,
    ) -> None:
        """At most `max_in_flight` requests are in flight. Without `rate_limiter` there is no other limit."""
        self._recorder = AttemptRecorder(store, policy, clock, log, timers, on_expired)
        self._lane = lane
        self._store = store
        self._clock = clock
        self._rng = rng
        self._log = log
        self._due_queue = due_queue
        self._timers = timers
        self._send = send
        self._rate_limiter = rate_limiter
        self._breakers = breakers
        self._term = term
        self._slots = trio.CapacityLimiter(max_in_flight)
        self._claiming = trio.CancelScope()
        self._requests: trio.Nursery | None = None

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the requests in flight are done."""
        self._claiming.cancel()

    async def run(self, probe: Callable[[], Awaitable[None]] | None = None) -> None:
        """Send due actions until `stop`. `probe` runs beside that, and is stopped with it."""
        async with trio.open_nursery() as self._requests:
            with self._claiming:
                async with trio.open_nursery() as claiming:
                    if probe is not None:
                        claiming.start_soon(probe, name=f"probes of {self._lane}")
                    while True:
                        await self._due_queue.wait()
                        hold_reason = self._breakers.hold_reason(self._lane)
                        await (self._send_next() if hold_reason is None else self._hold_due(hold_reason))

    async def _send_next(self) -> None:
        await self._wait_for_slot()
        slot = await self._rate_limiter.acquire() if self._rate_limiter else 0.0
        asked_at_s = trio.current_time()
        started: Sequence[trio.Event] = ()
        claims: ClaimResult | None = None
        is_held = self._breakers.hold_reason(self._lane) is not None
        # From here until the requests start, do not cancel: a claim whose request never starts
        # would look like a lost answer.
        with trio.CancelScope(shield=True):
            if not is_held:  # the lane may be held since the slot was requested
                claims = await self._claim()
            started = self._start_requests(claims, slot, asked_at_s)
        if claims is None and not is_held:
            await trio.sleep(STORE_RETRY_S)
        if self._rate_limiter and (not started or self._is_too_late(asked_at_s)):
            self._rate_limiter.release(slot)
        if self._breakers.is_on_probation(self._lane):
            for ended in started:
                await ended.wait()

    async def _hold_due(self, reason: Reason) -> None:
        """Judge the due actions, and hold those that may be sent. This uses no slot of the rate limit."""
        with trio.CancelScope(shield=True):
            claims = await self._recorder.claim(self._due_queue, self._due_queue.take(JUDGE_BATCH), 0, reason)
        if claims is None:
            await trio.sleep(STORE_RETRY_S)
        elif any(each.reason is reason for each in claims.stopped):
            await self._on_action_held()

    async def send_probe(self, held_ids: Sequence[int]) -> int | None:
        """Send the first of these held actions that may be sent, and wait for its answer.

        Returns its id, or None if none may be sent.
        """
        await self._wait_for_slot()
        slot = await self._rate_limiter.acquire() if self._rate_limiter else 0.0
        asked_at_s = trio.current_time()
        with trio.CancelScope(shield=True):
            claims = await self._recorder.claim_first(self._due_queue, held_ids)
            started = self._start_requests(claims, slot, asked_at_s)
        if claims is None:
            await trio.sleep(STORE_RETRY_S)
        if self._rate_limiter and not started:
            self._rate_limiter.release(slot)
        for ended in started:
            await ended.wait()
        return claims.claimed[0].action.id if claims and claims.claimed else None

    async def release_held(self) -> None:
        """Make the lane's held actions due again, and retry until the store can commit."""
        while True:
            try:
                timers = await self._store.write(partial(release_lane, lane=self._lane), offload=True)
                break
            except NotDurable as failure:
                self._log.log_throttled(
                    "error", Event.STORE_COMMIT_FAILED, "release", unit="release", error=str(failure)
                )
                await trio.sleep(STORE_RETRY_S)
        self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "release")
        self._timers.add(timers)

    async def _on_action_held(self) -> None:
        """An action was held with the lane. If the lane was released meanwhile, release the action too."""
        self._breakers.notify_action_held(self._lane)
        if self._breakers.hold_reason(self._lane) is None:
            await self.release_held()

    def _start_requests(
        self, claims: ClaimResult | None, slot: float, asked_at_s: float
    ) -> Sequence[trio.Event]:
        """Start the requests of the claimed actions. Each event is set when its request has ended.

        `asked_at_s` is when the claim was asked for, by trio's clock.
        """
        claimed = claims.claimed if claims else ()
        if self._requests is None:
            raise AssertionError("requests are sent while the dispatcher runs")
        if self._rate_limiter and claimed and not self._is_too_late(asked_at_s):
            self._rate_limiter.restamp(slot)
        events = []
        for attempt in claimed:
            self._slots.acquire_on_behalf_of_nowait(attempt.action.id)
            ended = trio.Event()
            name = f"attempt {attempt.action.id}"
            self._requests.start_soon(self._make_attempt, attempt, asked_at_s, ended, name=name)
            events.append(ended)
        return events

    def _is_too_late(self, asked_at_s: float) -> bool:
        """Whether no request of a claim will be sent any more, so that its slot stays free."""
        return self._term.why_not_send(asked_at_s) == TOO_LATE

    async def _wait_for_slot(self) -> None:
        while self._slots.available_tokens < 1:
            async with self._slots:
                pass

    async def _claim(self) -> ClaimResult | None:
        """Claim the newest due actions; None, with all back in the queue, if the store cannot commit."""
        limit = 1 if self._rate_limiter else math.floor(self._slots.available_tokens)
        return await self._recorder.claim(self._due_queue, self._due_queue.take(JUDGE_BATCH), limit)

    async def _make_attempt(self, claimed: ClaimedAction, asked_at_s: float, ended: trio.Event) -> None:
        action, began_s = claimed.action, trio.current_time()
        try:
            if (why_not := self._term.why_not_send(asked_at_s)) is not None:
                await self._give_back(claimed, Withheld(why_not))
                return
            answer = await self._send(claimed)
            answer = self._breakers.classify_for_campaign(self._lane, action.campaign, answer, began_s)
            decision = interpret_answer(answer, action.kind, claimed.tries, self._clock.now(), self._rng)
            self._breakers.record_answer(self._lane, answer, began_s)
            decision = hold_with_lane(decision, hold_reason := self._breakers.hold_reason(self._lane))
            if decision.pause_s is not None and self._rate_limiter:
                pause_s = decision.pause_s if hold_reason is None else self._breakers.probe_wait_s(self._lane)
                self._rate_limiter.pause(pause_s)
                self._log.warning(Event.BUDGET_PAUSED, kind=action.kind, pause_s=round(pause_s, 1))
            await self._recorder.record(claimed, decision)
            if decision.result.hold_reason is not None:
                await self._on_action_held()
        finally:
            self._slots.release_on_behalf_of(action.id)
            ended.set()

    async def _give_back(self, claimed: ClaimedAction, withheld: Withheld) -> None:
        """Let an action wait for its next claim, or with its lane, as its request was not sent."""
        decision = give_back(withheld, self._clock.now())
        decision = hold_with_lane(decision, self._breakers.hold_reason(self._lane))
        await self._recorder.record_unsent(claimed, decision)
        if decision.result.hold_reason is not None:
            await self._on_action_held()
