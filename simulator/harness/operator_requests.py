"""What an operator wants of the daemon during a timeline, and how they get it.

On a supervised stage they ask until it is granted, as the daemon may be down for a while; the
journal keeps what was surely granted, and when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import trio

from missedd.base.clock import to_iso
from simulator.harness.daemon_host import DaemonHost
from simulator.harness.operator_log import FOR_EVER, Journal
from simulator.harness.stepped_clock import SteppedClock
from simulator.scenario.value_readers import span

ASK_AGAIN_S = 5.0

type Granted = Callable[[datetime, datetime], None]
"""Told when a wish was asked for and when it was granted."""


@dataclass(frozen=True, slots=True)
class Wish:
    method: str
    path: str
    body: Any
    granted: Granted


@dataclass(frozen=True, slots=True)
class Wishes:
    """An operator at the daemon's API."""

    host: DaemonHost
    clock: SteppedClock
    journal: Journal
    true_now: Callable[[], datetime]

    def suppress(self, number: str, reason: str) -> Wish:
        def granted(asked_at: datetime, at: datetime) -> None:
            self.journal.note(number, asked_at, at, is_suppressed=True)

        body = {"number": number, "reason": reason}
        return Wish("POST", "/api/v1/suppressions", body, granted)

    def unsuppress(self, number: str) -> Wish:
        def granted(asked_at: datetime, at: datetime) -> None:
            self.journal.note(number, asked_at, at, is_suppressed=False)

        return Wish("DELETE", f"/api/v1/suppressions/{quote(number)}", None, granted)

    def pause(self, campaign: str, why: str, lasts: object) -> Wish:
        """`lasts` is a duration, or None for a pause without an end."""
        until, ends_at = None, FOR_EVER
        if lasts is not None:
            until, ends_at = (now() + span(lasts) for now in (self.clock.now, self.true_now))

        def granted(asked_at: datetime, at: datetime) -> None:
            self.journal.note_pause(campaign, asked_at, at, ends_at, is_pause=True)

        path, body = f"/api/v1/campaigns/{quote(campaign)}/pause", {"why": why, "until": to_iso(until)}
        return Wish("POST", path, body, granted)

    def resume(self, campaign: str) -> Wish:
        def granted(asked_at: datetime, at: datetime) -> None:
            self.journal.note_pause(campaign, asked_at, at, FOR_EVER, is_pause=False)

        return Wish("DELETE", f"/api/v1/campaigns/{quote(campaign)}/pause", None, granted)

    async def ask(self, wish: Wish) -> None:
        """Ask once. Raises on anything but a grant."""
        asked_at = self.true_now()
        await self.host.api(wish.method, wish.path, wish.body)
        wish.granted(asked_at, self.true_now())

    async def insist(self, wish: Wish) -> None:
        """Ask until it is granted, or there is nothing to grant.

        It may have been granted when it was first asked for, and only the answer was lost.
        """
        asked_at = self.true_now()
        while True:
            try:
                await self.host.api(wish.method, wish.path, wish.body)
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code == 404:  # there is nothing to lift, or no more
                    break
                if refused.response.status_code == 400:  # it came too late for its own end
                    return
            except RuntimeError:
                pass  # it is down
            else:
                break
            await trio.sleep(ASK_AGAIN_S)
        wish.granted(asked_at, self.true_now())
