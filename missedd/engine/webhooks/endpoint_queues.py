"""The addresses that webhooks go to, each with its own queue and its own record of how it answers.

A campaign's webhooks wait behind those of the same address only. What has just become due is not
sorted yet: memory holds the ids of actions, and the store is asked once for many of them whose
they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import trio

from missedd.base.url_redaction import without_secrets
from missedd.core.upstream.endpoint_concurrency import HANGS_AFTER_S, Share, Standing, free_places
from missedd.engine.timing.due_queue import Ready
from missedd.exotel.request_result import Refused, Unknown


class Endpoint:
    """One address. `shown` is its URL without secrets; "" is that of campaigns without a webhook by now."""

    def __init__(self, url: str) -> None:
        self.shown = without_secrets(url) if url else ""
        self.queue = Ready()
        self.out: dict[int, float] = {}
        """The actions whose request is out, and since when by trio's clock: the oldest first."""
        self.is_tried = False
        self.timed_out = False
        """The last request that ended got no answer in time."""
        self.failing_since: datetime | None = None
        self.failing_s = 0.0
        """The same instant by trio's clock."""
        self.failures = 0
        """How often it failed since then."""
        self.last_failure: Refused | Unknown | None = None
        self.served = 0
        """In which turn it was served last."""

    def share(self, now_s: float) -> Share:
        oldest_s = next(iter(self.out.values()), now_s)
        if self.timed_out or now_s - oldest_s >= HANGS_AFTER_S:
            return Share(Standing.HANGS, len(self.out))
        return Share(Standing.ANSWERS if self.is_tried else Standing.UNTRIED, len(self.out))


class WebhookQueues(Ready):
    """The webhook lane's queue: what is due, and for which address."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        """`urls` says where each campaign's webhooks go."""
        super().__init__()
        by_url = {url: Endpoint(url) for url in dict.fromkeys([*urls.values(), ""])}
        self._by_campaign = {campaign: by_url[url] for campaign, url in urls.items()}
        self.endpoints = tuple(by_url.values())
        by_url[""].is_tried = True
        self.has_several = len(self.endpoints) > 2
        """Whether it matters whose an action is; with one address all may wait for that."""
        self._else = by_url[""] if self.has_several else self.endpoints[0]
        self._tell_apart()
        self._turn = 0
        self._changed = trio.Event()

    def _tell_apart(self) -> None:
        """Number those that look alike without their secrets: what one is told of is not the other's."""
        seen: Counter[str] = Counter()
        for endpoint in self.endpoints:
            seen[endpoint.shown] += 1
            if (number := seen[endpoint.shown]) > 1:
                endpoint.shown = f"{endpoint.shown} ({number})"

    def __len__(self) -> int:
        return super().__len__() + sum(len(endpoint.queue) for endpoint in self.endpoints)

    @property
    def unsorted(self) -> int:
        """How many have become due since they were last sorted."""
        return super().__len__()

    def due_ids(self) -> set[int]:
        return super().due_ids().union(*(endpoint.queue.due_ids() for endpoint in self.endpoints))

    def add(self, due_us: int, action_id: int) -> None:
        super().add(due_us, action_id)
        self._changed.set()

    def sort(self, taken: Iterable[tuple[int, int]], campaigns: Mapping[int, str]) -> None:
        """Put what was taken from here where it belongs; `campaigns` names that of each action, where there
        are `has_several` addresses."""
        for due_us, action_id in taken:
            endpoint = self._by_campaign.get(campaigns.get(action_id, ""), self._else)
            endpoint.queue.add(due_us, action_id)

    def choose(self) -> dict[int, tuple[int, Endpoint]]:
        """Take what may go now, by action id: its due instant in microseconds, and its address.

        Who was served longest ago is served first, so that none waits for ever where places are few.
        """
        now_s = trio.current_time()
        shares = {endpoint: endpoint.share(now_s) for endpoint in self.endpoints}
        out = sum(share.out for share in shares.values())
        out_to_hanging = sum(share.out for share in shares.values() if share.standing is Standing.HANGS)
        chosen: dict[int, tuple[int, Endpoint]] = {}
        for endpoint in sorted(self.endpoints, key=lambda endpoint: endpoint.served):
            if not len(endpoint.queue):
                continue
            share = shares[endpoint]
            free = free_places(share, out, out_to_hanging, is_only=not self.has_several)
            taken = endpoint.queue.take(free)
            out += len(taken)
            if share.standing is Standing.HANGS:
                out_to_hanging += len(taken)
            if taken:
                self._turn += 1
                endpoint.served = self._turn
            chosen |= {action_id: (due_us, endpoint) for due_us, action_id in taken}
        return chosen

    def listen(self) -> trio.Event:
        """An event that is set when something becomes due, or `changed` is told, from now on."""
        self._changed = trio.Event()
        return self._changed

    def changed(self) -> None:
        """Tell that a place has become free."""
        self._changed.set()
