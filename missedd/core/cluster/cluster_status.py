"""What an operator sees of the nodes on one database: who leads, who is gone, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missedd.core.cluster.node_clock import MAX_SKEW_S, WARN_SKEW_S, WrongClock, wrong_clock
from missedd.core.cluster.nodes import KEPT_AFTER_GONE, ClusterNode, nodes_by_config

LEADERLESS_AFTER: Final = timedelta(seconds=15)
"""A change of leader takes less than this, so nobody is told of one that goes well."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The nodes on one database at one instant."""

    nodes: tuple[ClusterNode, ...]
    now: datetime
    """The database's time, in UTC."""
    epoch: int = 1
    """The number of the latest term."""
    renewed_at: datetime | None = None
    """When the leader renewed its lease, or the database was set up; None where no other node can join."""
    why_not_synchronous: str | None = None
    """Why commits are on one machine only; None if each waits for a standby, or the database is a file."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may join: the database is no file."""
        return self.renewed_at is not None

    def listed(self) -> list[ClusterNode]:
        """The nodes to show: first the leader, then the living, then for a day those that are gone."""
        kept = [node for node in self.nodes if self.now - node.seen_at < KEPT_AFTER_GONE]
        return sorted(kept, key=lambda node: (not node.leads, not node.is_alive(self.now), node.id))

    @property
    def living(self) -> list[ClusterNode]:
        return [node for node in self.nodes if node.is_alive(self.now)]

    @property
    def leader(self) -> ClusterNode | None:
        return next((node for node in self.living if node.leads), None)

    @property
    def vanished(self) -> list[ClusterNode]:
        """Nodes that went without a stop in the last day, and no later node has their name and address."""
        back = {node.label: node.id for node in sorted(self.nodes, key=lambda node: node.id)}
        return [
            node
            for node in self.listed()
            if node.stopped_at is None and not node.is_alive(self.now) and back[node.label] == node.id
        ]

    def warnings(self) -> Iterator[str]:
        """What needs a person: one sentence each, without its full stop."""
        if self.leader is None and self._has_no_leader_for_long:
            yield "no node leads, so nothing is sent: start a node, or look at the clocks and logs of all"
        for node in self.vanished:
            yield f"the node {node.label} has vanished without a stop: start it again, or look at its machine"
        configs = nodes_by_config(self.nodes, self.now)
        if len(configs) > 1:
            told = "; ".join(f"{config}: {', '.join(labels)}" for config, labels in configs.items())
            yield f"the nodes have different configurations ({told}): give all of them the same file"
        yield from self._clock_warnings()
        if self.why_not_synchronous is not None:
            yield (
                f"{self.why_not_synchronous}, so acknowledged calls are lost if the database's machine is: "
                "set up a synchronous standby (Patroni: synchronous_mode)"
            )

    @property
    def _has_no_leader_for_long(self) -> bool:
        return self.renewed_at is not None and self.now - self.renewed_at > LEADERLESS_AFTER

    def _clock_warnings(self) -> Iterator[str]:
        ahead_s = {node.id: node.skew_s for node in self.living}
        skewed = [node for node in self.living if abs(node.skew_s) >= WARN_SKEW_S]
        if any(wrong_clock(node.id, ahead_s) is WrongClock.DATABASE for node in skewed):
            yield "the database's clock differs from those of most nodes: synchronise the database's server"
            skewed = [node for node in skewed if wrong_clock(node.id, ahead_s) is WrongClock.NODE]
        for node in skewed:
            leads_not = ", so it may not lead" if abs(node.skew_s) >= MAX_SKEW_S else ""
            direction = "ahead of" if node.skew_s > 0 else "behind"
            yield (
                f"the clock of {node.label} is {abs(node.skew_s):.1f} s {direction} the database's"
                f"{leads_not}: synchronise it (chrony, systemd-timesyncd)"
            )


def sole_node(
    name: str, address: str, version: str, config: str, since: datetime, now: datetime
) -> ClusterStatus:
    """The status of a daemon that has its database alone: it leads, and no clock can differ."""
    node = ClusterNode(
        id=1,
        name=name,
        address=address,
        version=version,
        config=config,
        started_at=since,
        seen_at=now,
        stopped_at=None,
        skew_s=0.0,
        leads=True,
    )
    return ClusterStatus((node,), now)
