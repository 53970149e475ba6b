"""The operator's requests to the daemon during a timeline: suppressions and pauses.

In a supervised simulation the operator repeats a request until it is granted, as the daemon may be
down for a while. The operator log records what was granted, and when.
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
from simulator.harness.daemon_cluster import DaemonCluster
from simulator.harness.operator_log import NO_END, OperatorLog
from simulator.harness.stepped_clock import SteppedClock
from simulator.scenario.value_readers import duration

RETRY_AFTER_S = 5.0

type OnGranted = Callable[[datetime, datetime], None]
"""Called with the times at which the request was sent and granted."""


@dataclass(frozen=True, slots=True)
class OperatorRequest:
    method: str
    path: str
    body: Any
    on_granted: OnGranted


@dataclass(frozen=True, slots=True)
class OperatorClient:
    """Sends an operator's requests to the daemon's API."""

    daemons: DaemonCluster
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
        """Send the request once. Raises on any answer but a 2xx."""
        asked_at = self.true_now()
        await self.daemons.request_json(request.method, request.path, request.body)
        request.on_granted(asked_at, self.true_now())

    async def send_until_granted(self, request: OperatorRequest) -> None:
        """Repeat the request until it is granted, or until there is nothing to grant.

        The first request may have been granted and only its answer lost: so the log takes the time of
        the first request.
        """
        asked_at = self.true_now()
        while True:
            try:
                await self.daemons.request_json(request.method, request.path, request.body)
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code == 404:  # nothing to lift, or lifted already
                    break
                if refused.response.status_code == 400:  # the end of the pause is in the past by now
                    return
            except RuntimeError:
                pass  # the daemon is down
            else:
                break
            await trio.sleep(RETRY_AFTER_S)
        request.on_granted(asked_at, self.true_now())
