"""The dispatcher: what is due goes out, within the budget, recorded before and after.

One of these runs for each lane. It takes the freshest due actions, has the store judge and claim
them, and only when that is committed lets their requests go, several at a time. While the lane is
held by its provider nothing of that goes, and what is due is held with it: see `probes`. Stopping it
stops the claiming; requests in flight keep their nursery until the daemon's deadline, and one that is
cut off there is found at the next start as an attempt without a result.
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
from missedd.engine.dispatch.attempt_result import held_with_its_lane, settle
from missedd.engine.dispatch.attempts import STORE_WAIT_S, Attempts, OnExpired
from missedd.engine.provider.lane_state import Upstream
from missedd.engine.provider.rate_limiter import Budget
from missedd.engine.timing.due_queue import Ready
from missedd.engine.timing.timers import Timers
from missedd.exotel.request_result import Answer
from missedd.log.logger import Event, Logger
from missedd.store.actions.claims import Claimed, Claims
from missedd.store.actions.provider_holds import release_lane
from missedd.store.db.database import NotDurable
from missedd.store.store import Store

JUDGED = 64
"""Due actions judged in one transaction: a backlog that has grown too old is cleared this fast."""

type Send = Callable[[Claimed], Awaitable[Answer]]


class Dispatcher:
    def __init__(
        self,
        *,
        lane: Lane,
        store: Store,
        policy: Policy,
        clock: Clock,
        rng: Random,
        log: Logger,
        ready: Ready,
        timers: Timers,
        send: Send,
        budget: Budget | None,
        in_flight: int,
        upstream: Upstream,
        on_expired: OnExpired = lambda campaign, kind: None,
    ) -> None:
        """`in_flight` requests at most are out at once; without a `budget` nothing else limits them."""
        self._attempts = Attempts(store, policy, clock, log, timers, on_expired)
        self._lane = lane
        self._store = store
        self._clock = clock
        self._rng = rng
        self._log = log
        self._ready = ready
        self._timers = timers
        self._send = send
        self._budget = budget
        self._upstream = upstream
        self._places = trio.CapacityLimiter(in_flight)
        self._claiming = trio.CancelScope()
        self._requests: trio.Nursery | None = None

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the requests in flight are done."""
        self._claiming.cancel()

    async def run(self, probe: Callable[[], Awaitable[None]] | None = None) -> None:
        """Send what is due; `probe` runs beside that, and is stopped with it."""
        async with trio.open_nursery() as self._requests:
            with self._claiming:
                async with trio.open_nursery() as claiming:
                    if probe is not None:
                        claiming.start_soon(probe, name=f"probes of {self._lane}")
                    while True:
                        await self._ready.wait()
                        held = self._upstream.held(self._lane)
                        await (self._send_next() if held is None else self._hold_due(held))

    async def _send_next(self) -> None:
        await self._free_place()
        slot = await self._budget.turn() if self._budget else 0.0
        started: Sequence[trio.Event] = ()
        claims: Claims | None = None
        is_held = self._upstream.held(self._lane) is not None
        # From here to the requests' start nothing may be cut off: a claim whose request never starts
        # would look like a lost answer.
        with trio.CancelScope(shield=True):
            if not is_held:  # it may be, since this turn was asked for
                claims = await self._claim()
            started = self._start(claims, slot)
        if claims is None and not is_held:
            await trio.sleep(STORE_WAIT_S)
        if self._budget and not started:
            self._budget.give_back(slot)
        if self._upstream.in_doubt(self._lane):
            for ended in started:
                await ended.wait()

    async def _hold_due(self, reason: Reason) -> None:
        """Judge what is due, and hold what may go: it spends nothing."""
        with trio.CancelScope(shield=True):
            claims = await self._attempts.claim(self._ready, self._ready.take(JUDGED), 0, reason)
        if claims is None:
            await trio.sleep(STORE_WAIT_S)
        elif any(each.reason is reason for each in claims.stopped):
            await self._was_held()

    async def probe(self, held: Sequence[int]) -> int | None:
        """Send the first of these held actions that may go, and wait for its answer; None if none may."""
        await self._free_place()
        slot = await self._budget.turn() if self._budget else 0.0
        with trio.CancelScope(shield=True):
            claims = await self._attempts.claim_first(self._ready, held)
            started = self._start(claims, slot)
        if claims is None:
            await trio.sleep(STORE_WAIT_S)
        if self._budget and not started:
            self._budget.give_back(slot)
        for ended in started:
            await ended.wait()
        return claims.claimed[0].action.id if claims and claims.claimed else None

    async def release(self) -> None:
        """Let what was held with the lane be due again, however long the store takes."""
        while True:
            try:
                wakes = await self._store.write(partial(release_lane, lane=self._lane), aside=True)
                break
            except NotDurable as failure:
                self._log.repeated(
                    "error", Event.STORE_COMMIT_FAILED, "release", unit="release", error=str(failure)
                )
                await trio.sleep(STORE_WAIT_S)
        self._log.ended(Event.STORE_COMMIT_FAILED, "release")
        self._timers.add(wakes)

    async def _was_held(self) -> None:
        """Something was held with the lane; perhaps too late, as the lane's release is over."""
        self._upstream.note_held(self._lane)
        if self._upstream.held(self._lane) is None:
            await self.release()

    def _start(self, claims: Claims | None, slot: float) -> Sequence[trio.Event]:
        """Start the requests of what was claimed; each event is set when one of them is over."""
        claimed = claims.claimed if claims else ()
        if self._requests is None:
            raise AssertionError("requests are sent while the dispatcher runs")
        if self._budget and claimed:
            self._budget.leave(slot)
        events = []
        for each in claimed:
            self._places.acquire_on_behalf_of_nowait(each.action.id)
            ended = trio.Event()
            self._requests.start_soon(self._attempt, each, ended, name=f"attempt {each.action.id}")
            events.append(ended)
        return events

    async def _free_place(self) -> None:
        while self._places.available_tokens < 1:
            async with self._places:
                pass

    async def _claim(self) -> Claims | None:
        """Claim from the freshest on; None, with all of it back in its queue, if the store cannot commit."""
        limit = 1 if self._budget else math.floor(self._places.available_tokens)
        return await self._attempts.claim(self._ready, self._ready.take(JUDGED), limit)

    async def _attempt(self, claimed: Claimed, ended: trio.Event) -> None:
        action, began_s = claimed.action, trio.current_time()
        try:
            answer = await self._send(claimed)
            answer = self._upstream.judged(self._lane, action.campaign, answer, began_s)
            settled = settle(answer, action.kind, claimed.attempt, self._clock.now(), self._rng)
            self._upstream.answered(self._lane, answer, began_s)
            settled = held_with_its_lane(settled, held := self._upstream.held(self._lane))
            if settled.pause_s is not None and self._budget:
                pause_s = settled.pause_s if held is None else self._upstream.wait_s(self._lane)
                self._budget.pause(pause_s)
                self._log.warning(Event.BUDGET_PAUSED, kind=action.kind, pause_s=round(pause_s, 1))
            await self._attempts.record(claimed, settled)
            if settled.result.holds is not None:
                await self._was_held()
        finally:
            self._places.release_on_behalf_of(action.id)
            ended.set()
