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
from simulator.harness.operator_log import NO_END, OperatorLog
from simulator.harness.stepped_clock import SteppedClock
from simulator.scenario.value_readers import duration

RETRY_AFTER_S = 5.0

type OnGranted = Callable[[datetime, datetime], None]
"""Told when a wish was asked for and when it was granted."""


@dataclass(frozen=True, slots=True)
class OperatorRequest:
    method: str
    path: str
    body: Any
    on_granted: OnGranted


@dataclass(frozen=True, slots=True)
class OperatorClient:
    """An operator at the daemon's API."""

    host: DaemonHost
    clock: SteppedClock
    operator_log: OperatorLog
    true_now: Callable[[], datetime]

    def suppress(self, number: str, reason: str) -> OperatorRequest:
        def granted(asked_at: datetime, at: datetime) -> None:
            self.operator_log.record_suppression(number, asked_at, at, is_suppressed=True)

        body = {"number": number, "reason": reason}
        return OperatorRequest("POST", "/api/v1/suppressions", body, granted)

    def unsuppress(self, number: str) -> OperatorRequest:
        def granted(asked_at: datetime, at: datetime) -> None:
            self.operator_log.record_suppression(number, asked_at, at, is_suppressed=False)

        return OperatorRequest("DELETE", f"/api/v1/suppressions/{quote(number)}", None, granted)

    def pause(self, campaign: str, why: str, lasts: object) -> OperatorRequest:
        """`lasts` is a duration, or None for a pause without an end."""
        until, ends_at = None, NO_END
        if lasts is not None:
            until, ends_at = (now() + duration(lasts) for now in (self.clock.now, self.true_now))

        def granted(asked_at: datetime, at: datetime) -> None:
            self.operator_log.record_pause(campaign, asked_at, at, ends_at, is_pause=True)

        path, body = f"/api/v1/campaigns/{quote(campaign)}/pause", {"why": why, "until": to_iso(until)}
        return OperatorRequest("POST", path, body, granted)

    def resume(self, campaign: str) -> OperatorRequest:
        def granted(asked_at: datetime, at: datetime) -> None:
            self.operator_log.record_pause(campaign, asked_at, at, NO_END, is_pause=False)

        return OperatorRequest("DELETE", f"/api/v1/campaigns/{quote(campaign)}/pause", None, granted)

    async def send_once(self, request: OperatorRequest) -> None:
        """Ask once. Raises on anything but a grant."""
        asked_at = self.true_now()
        await self.host.request_json(request.method, request.path, request.body)
        request.on_granted(asked_at, self.true_now())

    async def send_until_granted(self, request: OperatorRequest) -> None:
        """Ask until it is granted, or there is nothing to grant.

        It may have been granted when it was first asked for, and only the answer was lost.
        """
        asked_at = self.true_now()
        while True:
            try:
                await self.host.request_json(request.method, request.path, request.body)
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code == 404:  # there is nothing to lift, or no more
                    break
                if refused.response.status_code == 400:  # it came too late for its own end
                    return
            except RuntimeError:
                pass  # it is down
            else:
                break
            await trio.sleep(RETRY_AFTER_S)
        request.on_granted(asked_at, self.true_now())
