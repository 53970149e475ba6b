"""The addresses that receive webhooks, each with its own queue and its own record of failures.

A webhook waits only behind those for the same address. An action that has just become due is not assigned
to an address yet: memory holds only its id. One query reads the campaigns of many such actions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import trio

from missedd.base.url_redaction import redact_url
from missedd.core.upstream.endpoint_concurrency import (
    HANG_THRESHOLD_S,
    EndpointHealth,
    EndpointLoad,
    free_slots,
)
from missedd.engine.timing.due_queue import DueQueue
from missedd.exotel.request_result import Refused, Unknown


class Endpoint:
    """One address. `shown_url` is its URL without secrets; "" is for campaigns that have no webhook now."""

    def __init__(self, url: str) -> None:
        self.shown_url = redact_url(url) if url else ""
        self.due_queue = DueQueue()
        self.in_flight: dict[int, float] = {}
        """The actions with a request in flight, and since when by trio's clock, the oldest first."""
        self.has_been_tried = False
        self.last_timed_out = False
        """Whether the last request that ended got no answer in time."""
        self.failing_since: datetime | None = None
        self.failing_since_s = 0.0
        """The same instant by trio's clock."""
        self.failure_count = 0
        """How many requests have failed since then."""
        self.last_failure: Refused | Unknown | None = None
        self.served_in_turn = 0
        """The turn in which this address was served last."""

    def load(self, now_s: float) -> EndpointLoad:
        oldest_s = next(iter(self.in_flight.values()), now_s)
        if self.last_timed_out or now_s - oldest_s >= HANG_THRESHOLD_S:
            return EndpointLoad(EndpointHealth.HANGING, len(self.in_flight))
        return EndpointLoad(
            EndpointHealth.RESPONSIVE if self.has_been_tried else EndpointHealth.UNTRIED, len(self.in_flight)
        )


class WebhookQueues(DueQueue):
    """The webhook lane's queue: due actions, sorted by address."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        """`urls` maps a campaign's name to the address of its webhooks."""
        super().__init__()
        by_url = {url: Endpoint(url) for url in dict.fromkeys([*urls.values(), ""])}
        self._by_campaign = {campaign: by_url[url] for campaign, url in urls.items()}
        self.endpoints = tuple(by_url.values())
        by_url[""].has_been_tried = True
        self.has_several_endpoints = len(self.endpoints) > 2
        """Whether actions must be sorted by address. With one address that is not needed."""
        self._default_endpoint = by_url[""] if self.has_several_endpoints else self.endpoints[0]
        self._number_duplicates()
        self._turn_count = 0
        self._changed = trio.Event()

    def _number_duplicates(self) -> None:
        """Number the addresses that look alike without their secrets, so that alerts tell them apart."""
        seen: Counter[str] = Counter()
        for endpoint in self.endpoints:
            seen[endpoint.shown_url] += 1
            if (number := seen[endpoint.shown_url]) > 1:
                endpoint.shown_url = f"{endpoint.shown_url} ({number})"

    def __len__(self) -> int:
        return super().__len__() + sum(len(endpoint.due_queue) for endpoint in self.endpoints)

    @property
    def unassigned_count(self) -> int:
        """How many due actions are not assigned to an address yet."""
        return super().__len__()

    def due_ids(self) -> set[int]:
        return super().due_ids().union(*(endpoint.due_queue.due_ids() for endpoint in self.endpoints))

    def add(self, due_us: int, action_id: int) -> None:
        super().add(due_us, action_id)
        self._changed.set()

    def assign(self, entries: Iterable[tuple[int, int]], campaigns: Mapping[int, str]) -> None:
        """Put `entries` into their addresses' queues. An entry is (due time in microseconds, action id).

        `campaigns` maps an action's id to its campaign. It is used only if there are several addresses.
        """
        for due_us, action_id in entries:
            endpoint = self._by_campaign.get(campaigns.get(action_id, ""), self._default_endpoint)
            endpoint.due_queue.add(due_us, action_id)

    def take_next(self) -> dict[int, tuple[int, Endpoint]]:
        """Take the actions that may be sent now: id to (due time in microseconds, address).

        The address that was served longest ago comes first, so that none waits for ever when slots are few.
        """
        now_s = trio.current_time()
        loads = {endpoint: endpoint.load(now_s) for endpoint in self.endpoints}
        in_flight = sum(load.in_flight for load in loads.values())
        in_flight_to_hanging = sum(
            load.in_flight for load in loads.values() if load.health is EndpointHealth.HANGING
        )
        chosen: dict[int, tuple[int, Endpoint]] = {}
        for endpoint in sorted(self.endpoints, key=lambda endpoint: endpoint.served_in_turn):
            if not len(endpoint.due_queue):
                continue
            load = loads[endpoint]
            free = free_slots(load, in_flight, in_flight_to_hanging, is_only=not self.has_several_endpoints)
            taken = endpoint.due_queue.take(free)
            in_flight += len(taken)
            if load.health is EndpointHealth.HANGING:
                in_flight_to_hanging += len(taken)
            if taken:
                self._turn_count += 1
                endpoint.served_in_turn = self._turn_count
            chosen |= {action_id: (due_us, endpoint) for due_us, action_id in taken}
        return chosen

    def change_event(self) -> trio.Event:
        """An event that is set when the next action becomes due, or when `notify_changed` is called."""
        self._changed = trio.Event()
        return self._changed

    def notify_changed(self) -> None:
        """Wake the dispatcher, as a slot has become free."""
        self._changed.set()
