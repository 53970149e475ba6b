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
from missedd.core.upstream.circuit_breaker import PROBE_WAITS_S
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.provider.lane_state import Upstream
from missedd.engine.provider.rate_limiter import Budget
from missedd.exotel.client import ExotelClient
from missedd.store.actions.provider_holds import to_probe_with
from missedd.store.store import Store

CHOICE: Final = 16
"""Held actions that are judged for one probe: the gates of the first may hold it for another reason."""

NOBODYS_SID: Final = "0"
"""What is asked for where any answer will do."""

LISTED: Final = timedelta(minutes=1)


class Probes:
    def __init__(
        self,
        *,
        lane: Lane,
        store: Store,
        clock: Clock,
        upstream: Upstream,
        client: ExotelClient,
        budget: Budget,
        dispatcher: Dispatcher,
    ) -> None:
        """`budget` is the lane's, and `dispatcher` sends its actions."""
        self._lane = lane
        self._store = store
        self._clock = clock
        self._upstream = upstream
        self._client = client
        self._budget = budget
        self._dispatcher = dispatcher
        self._tried: set[int] = set()
        self._looks = 0

    async def run(self) -> None:
        """Probe whenever the lane is held, and let go what waits once it is not; for ever."""
        while True:
            await self._upstream.trouble(self._lane)
            self._tried.clear()
            while self._upstream.held(self._lane) is not None:
                async with self._upstream.turn(self._lane) as is_held:
                    if is_held:
                        await self._probe()
            await self._dispatcher.release()

    async def _probe(self) -> None:
        """Make one request, or wait for an action that it could be made for."""
        if self._upstream.burns(self._lane) and self._lane is Lane.VOICE:
            await self._look()
            return
        if await self._try_an_action():
            return
        if self._upstream.held(self._lane) is not Reason.PROVIDER_UNREACHABLE:
            with trio.move_on_after(PROBE_WAITS_S[-1]):  # one may become due again, after a wrong clock
                await self._upstream.stalled(self._lane)
        elif await self._look():
            self._upstream.nothing_waits(self._lane)

    async def _try_an_action(self) -> bool:
        """Send one of the held actions; False where there is none that may go."""
        while True:
            now = self._clock.now()
            read = partial(to_probe_with, lane=self._lane, tried=self._tried, now=now, most=CHOICE)
            choice = await self._store.read(read)
            if not choice:
                return False
            tried = await self._dispatcher.probe(choice)
            if tried is not None:
                if tried in self._tried:
                    self._tried.clear()  # each has had its turn
                self._tried.add(tried)
                return True

    async def _look(self) -> bool:
        """Ask for something that changes nothing; whether it was answered."""
        await self._budget.turn()
        return self._upstream.looked(self._lane, await self._question()())

    def _question(self) -> Callable[[], Awaitable[object]]:
        if self._lane is Lane.SMS:
            return partial(self._client.sms_details, NOBODYS_SID)
        self._looks += 1
        if self._looks % 2:
            now = self._clock.now()
            return partial(self._client.incoming_calls, now - LISTED, now)
        # Where only the list fails, this does not.
        return partial(self._client.call_details, NOBODYS_SID)
