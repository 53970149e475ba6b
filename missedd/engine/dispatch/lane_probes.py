"""Probes: while the provider holds a lane, one request at a time tests whether the lane works again.

Usually the probe is one of the held actions. After answers of 5xx a call may ring although it was
answered by an error, so there a lookup goes first, and a callback only after the lookup was answered. If
no action is held, the probe is a lookup. A lookup proves nothing about the account.
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
"""Held actions judged for one probe. The first may be held by its gates for another reason."""

UNKNOWN_SID: Final = "0"
"""The id in a lookup for which any answer will do."""

LIST_WINDOW: Final = timedelta(minutes=1)


class LaneProbes:
    """Probes one lane while it is held."""

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
        """`rate_limiter` and `dispatcher` are the lane's own."""
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
        """Probe while the lane is held, then release its actions; for ever."""
        while True:
            await self._breakers.wait_until_held(self._lane)
            self._tried_ids.clear()
            while self._breakers.hold_reason(self._lane) is not None:
                async with self._breakers.probe_turn(self._lane) as is_held:
                    if is_held:
                        await self._probe()
            await self._dispatcher.release_held()

    async def _probe(self) -> None:
        """Send one probe, or wait for an action that can be the probe."""
        if self._breakers.must_look_up_first(self._lane) and self._lane is Lane.VOICE:
            await self._probe_by_lookup()
            return
        if await self._probe_with_action():
            return
        if self._breakers.hold_reason(self._lane) is not Reason.PROVIDER_UNREACHABLE:
            with trio.move_on_after(PROBE_BACKOFF_S[-1]):  # an action may become due, after a wrong clock
                await self._breakers.wait_for_change(self._lane)
        elif await self._probe_by_lookup():
            self._breakers.record_nothing_to_probe(self._lane)

    async def _probe_with_action(self) -> bool:
        """Send one of the held actions; False if none may be sent."""
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
                    self._tried_ids.clear()  # every action has had its turn
                self._tried_ids.add(tried)
                return True

    async def _probe_by_lookup(self) -> bool:
        """Send a lookup, which changes nothing. Returns whether it was answered."""
        await self._rate_limiter.acquire()
        return self._breakers.record_lookup(self._lane, await self._next_lookup()())

    def _next_lookup(self) -> Callable[[], Awaitable[object]]:
        if self._lane is Lane.SMS:
            return partial(self._client.sms_details, UNKNOWN_SID)
        self._lookup_count += 1
        if self._lookup_count % 2:
            now = self._clock.now()
            return partial(self._client.incoming_calls, now - LIST_WINDOW, now)
        # If only the list fails, this lookup still works.
        return partial(self._client.call_details, UNKNOWN_SID)
