"""The dispatcher: what is due goes out, within the budget, recorded before and after.

One of these runs for each lane. It takes the freshest due actions, has the store judge and claim
them, and only when that is committed lets their requests go, several at a time. Stopping it stops
the claiming; requests in flight keep their nursery until the daemon's deadline, and one that is
cut off there is found at the next start as an attempt without a result.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from random import Random

import trio

from missedd.clock import Clock
from missedd.core.policy import Policy
from missedd.engine.attempts import STORE_WAIT_S, Attempts
from missedd.engine.pacing import Budget
from missedd.engine.ready import Ready
from missedd.engine.results import settle
from missedd.engine.timers import Timers
from missedd.exotel.answers import Answer
from missedd.log import Event, Logger
from missedd.store.claims import Claimed, Claims
from missedd.store.store import Store

JUDGED = 64
"""Due actions judged in one transaction: a backlog that has grown too old is cleared this fast."""

type Send = Callable[[Claimed], Awaitable[Answer]]


class Dispatcher:
    def __init__(
        self,
        *,
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
    ) -> None:
        """`in_flight` requests at most are out at once; without a `budget` nothing else limits them."""
        self._attempts = Attempts(store, policy, clock, log, timers)
        self._clock = clock
        self._rng = rng
        self._log = log
        self._ready = ready
        self._send = send
        self._budget = budget
        self._places = trio.CapacityLimiter(in_flight)
        self._claiming = trio.CancelScope()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the requests in flight are done."""
        self._claiming.cancel()

    async def run(self) -> None:
        async with trio.open_nursery() as requests:
            with self._claiming:
                while True:
                    await self._ready.wait()
                    await self._free_place()
                    slot = await self._budget.turn() if self._budget else 0.0
                    # From here to the requests' start nothing may be cut off: a claim whose
                    # request never starts would look like a lost answer.
                    with trio.CancelScope(shield=True):
                        claims = await self._claim()
                        if self._budget and claims and claims.claimed:
                            self._budget.leave(slot)
                        for each in claims.claimed if claims else ():
                            self._places.acquire_on_behalf_of_nowait(each.action.id)
                            requests.start_soon(self._attempt, each, name=f"attempt {each.action.id}")
                    if claims is None:
                        await trio.sleep(STORE_WAIT_S)
                    if self._budget and not (claims and claims.claimed):
                        self._budget.give_back(slot)

    async def _free_place(self) -> None:
        while self._places.available_tokens < 1:
            async with self._places:
                pass

    async def _claim(self) -> Claims | None:
        """Claim from the freshest on; None, with all of it back in its queue, if the store cannot commit."""
        limit = 1 if self._budget else math.floor(self._places.available_tokens)
        return await self._attempts.claim(self._ready, self._ready.take(JUDGED), limit)

    async def _attempt(self, claimed: Claimed) -> None:
        action = claimed.action
        try:
            answer = await self._send(claimed)
            now = self._clock.now()
            settled = settle(answer, action.kind, claimed.attempt, now, self._rng)
            if settled.pause_s is not None and self._budget:
                self._budget.pause(settled.pause_s)
                self._log.warning(Event.BUDGET_PAUSED, kind=action.kind, pause_s=round(settled.pause_s, 1))
            await self._attempts.record(claimed, settled)
        finally:
            self._places.release_on_behalf_of(action.id)
