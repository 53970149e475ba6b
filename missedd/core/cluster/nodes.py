"""The nodes on one database, as one of them sees the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

GONE_AFTER_S: Final = 10.0
"""A node that has not been seen for this long is gone; it reports every 2 s."""

KEPT_AFTER_GONE: Final = timedelta(days=1)
"""How long a node that is gone stays in the list."""


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One start of a daemon. A daemon that is started again is another node."""

    id: int
    name: str
    address: str
    """Its private listener, as host:port."""
    version: str
    config: str
    """The fingerprint of its configuration."""
    started_at: datetime
    seen_at: datetime
    """All instants are by the database's clock, in UTC."""
    stopped_at: datetime | None
    skew_s: float
    """By how much its clock is ahead of the database's."""
    leads: bool

    def is_alive(self, now: datetime) -> bool:
        """Whether it runs, as far as the others can tell; `now` is the database's time."""
        return self.stopped_at is None and (now - self.seen_at).total_seconds() < GONE_AFTER_S

    @property
    def label(self) -> str:
        """How messages name it: `shop-1 (127.0.0.1:8081)`."""
        return f"{self.name} ({self.address})"


def just_gone(nodes: Iterable[ClusterNode], alive_before: Iterable[int], now: datetime) -> list[ClusterNode]:
    """The nodes that were alive and have vanished without a stop."""
    before = set(alive_before)
    return [
        node for node in nodes if node.id in before and node.stopped_at is None and not node.is_alive(now)
    ]


def nodes_by_config(nodes: Iterable[ClusterNode], now: datetime) -> dict[str, list[str]]:
    """The living nodes' labels by the fingerprint of their configuration, most frequent first.

    With one entry at most, all nodes have the same configuration.
    """
    labels: defaultdict[str, list[str]] = defaultdict(list)
    for node in nodes:
        if node.is_alive(now):
            labels[node.config].append(node.label)
    return {
        config: sorted(labels[config])
        for config in sorted(labels, key=lambda config: (-len(labels[config]), config))
    }
