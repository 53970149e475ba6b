"""Probes: while a lane is held by its provider, one request at a time finds out whether that is over.

As a rule it is one of the actions that wait. After answers of 5xx a call that was asked for may ring all
the same and could only be looked for, so there a look-up goes first and a callback only when that was
answered; and where no action waits, a look-up is all there is. Of the account a look-up tells nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

import trio

from missedd.base.clock import Clock
from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.core.upstream.circuit_breaker import PROBE_BACKOFF_S
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.client import ExotelClient
from missedd.store.actions.provider_holds import choose_probe_actions
from missedd.store.store import Store

MAX_CANDIDATES: Final = 16
"""Held actions that are judged for one probe: the gates of the first may hold it for another reason."""

UNKNOWN_SID: Final = "0"
"""What is asked for where any answer will do."""

LIST_WINDOW: Final = timedelta(minutes=1)


class LaneProbes:
    def __init__(
        self,
        *,
        lane: Lane,
        store: Store,
        clock: Clock,
        breakers: CircuitBreakers,
        client: ExotelClient,
        rate_limiter: RateLimiter,
        dispatcher: Dispatcher,
    ) -> None:
        """`rate_limiter` is the lane's, and `dispatcher` sends its actions."""
        self._lane = lane
        self._store = store
        self._clock = clock
        self._breakers = breakers
        self._client = client
        self._rate_limiter = rate_limiter
        self._dispatcher = dispatcher
        self._tried_ids: set[int] = set()
        self._lookup_count = 0

    async def run(self) -> None:
        """Probe whenever the lane is held, and let go what waits once it is not; for ever."""
        while True:
            await self._breakers.wait_until_held(self._lane)
            self._tried_ids.clear()
            while self._breakers.hold_reason(self._lane) is not None:
                async with self._breakers.probe_turn(self._lane) as is_held:
                    if is_held:
                        await self._probe()
            await self._dispatcher.release_held()

    async def _probe(self) -> None:
        """Make one request, or wait for an action that it could be made for."""
        if self._breakers.must_look_up_first(self._lane) and self._lane is Lane.VOICE:
            await self._probe_by_lookup()
            return
        if await self._probe_with_action():
            return
        if self._breakers.hold_reason(self._lane) is not Reason.PROVIDER_UNREACHABLE:
            with trio.move_on_after(PROBE_BACKOFF_S[-1]):  # one may become due again, after a wrong clock
                await self._breakers.wait_for_change(self._lane)
        elif await self._probe_by_lookup():
            self._breakers.record_nothing_to_probe(self._lane)

    async def _probe_with_action(self) -> bool:
        """Send one of the held actions; False where there is none that may go."""
        while True:
            now = self._clock.now()
            read = partial(
                choose_probe_actions,
                lane=self._lane,
                tried_ids=self._tried_ids,
                now=now,
                limit=MAX_CANDIDATES,
            )
            choice = await self._store.read(read)
            if not choice:
                return False
            tried = await self._dispatcher.send_probe(choice)
            if tried is not None:
                if tried in self._tried_ids:
                    self._tried_ids.clear()  # each has had its turn
                self._tried_ids.add(tried)
                return True

    async def _probe_by_lookup(self) -> bool:
        """Ask for something that changes nothing; whether it was answered."""
        await self._rate_limiter.acquire()
        return self._breakers.record_lookup(self._lane, await self._next_lookup()())

    def _next_lookup(self) -> Callable[[], Awaitable[object]]:
        if self._lane is Lane.SMS:
            return partial(self._client.sms_details, UNKNOWN_SID)
        self._lookup_count += 1
        if self._lookup_count % 2:
            now = self._clock.now()
            return partial(self._client.incoming_calls, now - LIST_WINDOW, now)
        # Where only the list fails, this does not.
        return partial(self._client.call_details, UNKNOWN_SID)
