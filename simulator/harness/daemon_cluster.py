"""The daemons of a simulation behind one load balancer, which also carries the requests to their API.

Most simulations have a single daemon. Where there are several, the balancer draws one for each request: a
living one, but for the few requests that come before its health checks notice that a daemon is down.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random
from typing import Any

import httpx
import msgspec

from missedd.core.api_types.calls import StoryJson
from missedd.core.explain.call import explain_call
from missedd.log.logger import Event
from simulator.exchange.webhooks.request import OutboundWebhook, PostResult
from simulator.harness.daemon_host import DaemonHost

UNNOTICED_SHARE = 0.1
"""Of the exchange's requests, how many go to any daemon, down or not."""


class DaemonCluster:
    """`rng` draws the daemon that gets a request; with a single daemon nothing is drawn."""

    def __init__(self, hosts: Sequence[DaemonHost], rng: Random, timezone: str) -> None:
        self.hosts = tuple(hosts)
        self._rng = rng
        self._timezone = timezone

    def _draw_host(self, *, may_be_down: bool = False) -> DaemonHost:
        if len(self.hosts) == 1:
            return self.hosts[0]
        up = [host for host in self.hosts if host.is_up]
        if not up or (may_be_down and self._rng.random() < UNNOTICED_SHARE):
            return self._rng.choice(self.hosts)
        return self._rng.choice(up)

    async def post(self, webhook: OutboundWebhook) -> PostResult:
        """Deliver a webhook of the exchange to a public site. Raises PostFailed without an answer."""
        return await self._draw_host(may_be_down=True).post(webhook)

    async def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request to a private API; return any answer. Raises RuntimeError if none comes."""
        return await self._draw_host().request(method, path, body)

    async def request_json(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to one private API and return its JSON. Raises on any status but 2xx."""
        answer = await self.request(method, path, body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def request_call(self, call_sid: str) -> StoryJson:
        """Return one call with its actions, as a private API shows the call."""
        return msgspec.convert(await self.request_json("GET", f"/api/v1/calls/{call_sid}"), StoryJson)

    async def explain_calls(self, number: str) -> str:
        """Return what `missedd why` would print about a caller."""
        pages = await self.request_json("GET", f"/api/v1/calls?number={number.replace('+', '%2B')}")
        calls = [await self.request_call(call["call_sid"]) for call in pages["items"]]
        return "\n".join(self.explain(call) for call in calls)

    def explain(self, call: StoryJson) -> str:
        """Explain a call as `missedd why` does, at the time that the first daemon's clock shows."""
        return explain_call(call, self.hosts[0].clock.now(), self._timezone)

    @property
    def is_up(self) -> bool:
        """Whether a daemon answers."""
        return any(host.is_up for host in self.hosts)

    @property
    def start_count(self) -> int:
        return sum(host.start_count for host in self.hosts)

    @property
    def leading_host(self) -> DaemonHost | None:
        """The daemon that leads, unless it stands still; None if there is none."""
        return next((host for host in self.hosts if host.is_up and host.leads), None)

    @property
    def disturbances(self) -> tuple[int, int, int]:
        """Counts of starts, terms and storage errors: what is slow may be slow because of one of them."""
        epoch = max((host.epoch or 0 for host in self.hosts), default=0)
        return self.start_count, epoch, self.storage_errors

    @property
    def crash_count(self) -> int:
        return sum(host.crash_count for host in self.hosts)

    @property
    def step_count(self) -> int:
        """The transactions of all writers."""
        return sum(host.disk.steps for host in self.hosts)

    @property
    def storage_errors(self) -> int:
        """How many transactions failed or were cut off, by the disk or on the way to the database."""
        return sum(host.disk.error_count for host in self.hosts)

    @property
    def longest_stall_s(self) -> float:
        return max(host.disk.longest_stall_s for host in self.hosts)

    @property
    def ready_times_s(self) -> list[float]:
        """When each start of a daemon was ready, on trio's clock."""
        return sorted(at_s for host in self.hosts for at_s in host.ready_times_s)

    @property
    def unexpected_errors(self) -> list[BaseException]:
        return [error for host in self.hosts for error in host.unexpected_errors]

    @property
    def were_clocks_wrong(self) -> bool:
        """Whether a daemon's clock ever differed from true time: then before and after are unsure."""
        return any(host.clock.was_wrong for host in self.hosts)

    def log_lines(self) -> list[dict[str, Any]]:
        return [line for host in self.hosts for line in host.log_lines()]

    def count_holds(self, reasons: Collection[str]) -> int:
        """Count how often an action was held for one of these reasons, over all runs."""
        held = (line for line in self.log_lines() if line["event"] == Event.ACTION_HELD)
        return sum(line["reason"] in reasons for line in held)

    @property
    def log_text(self) -> str:
        """The logs of all daemons, one after the other."""
        return "".join(host.log_text for host in self.hosts)
