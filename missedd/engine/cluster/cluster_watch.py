"""What this node sees of its cluster, each round: who is gone, clocks, configurations, standbys. It logs
changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from missedd.core.cluster.node_clock import ClockSkew, wrong_clock
from missedd.core.cluster.nodes import GONE_AFTER_S, ClusterNode, just_gone, nodes_by_config
from missedd.log.logger import Event, Logger
from missedd.store.cluster.coordination import Coordination
from missedd.store.cluster.nodes import NodeList, list_nodes, prune_nodes
from missedd.store.cluster.standbys import why_not_synchronous

CHECK_STANDBYS_EVERY_S: Final = 30.0
GAP_S: Final = 5.0
"""A longer pause between two looks means that the database was away; a look comes every 2 s."""
PRUNE_EVERY_S: Final = 3_600.0


class ClusterWatch:
    """Looks at all nodes, and keeps what metrics and the console show of this one."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self.skew: ClockSkew | None = None
        """This node's clock against the database's; None until it was measured."""
        self.alive: Sequence[ClusterNode] = ()
        """The living nodes, this one too, as of the last round."""
        self.why_not_synchronous: str | None = None
        """Why commits do not wait for a standby, in words; None if they do, or before the first check."""
        self.leader_words = "{}"
        """What the leader wants all nodes to show, as JSON, as of the last round."""
        self._configs: dict[str, list[str]] = {}
        self._known: set[int] = set()
        self._observed_s = self._watching_since_s = float("-inf")
        self._standbys_checked_s = -CHECK_STANDBYS_EVERY_S
        self._pruned_s = -PRUNE_EVERY_S

    async def observe(self, db: Coordination, node: int, skew: ClockSkew, *, leads: bool) -> None:
        """Look at the nodes and, less often, at the standbys. Raises `NotDurable`."""
        found = await list_nodes(db)
        self.skew = skew
        self._note_gone(found)
        self.alive = [each for each in found.nodes if each.is_alive(found.now)]
        self._note_clock(node, skew)
        self._note_configs(nodes_by_config(found.nodes, found.now))
        now_s = trio.current_time()
        if now_s - self._standbys_checked_s >= CHECK_STANDBYS_EVERY_S:
            self._standbys_checked_s = now_s
            self._note_standbys(await why_not_synchronous(db))
        if leads and now_s - self._pruned_s >= PRUNE_EVERY_S:
            self._pruned_s = now_s
            await prune_nodes(db)

    def _note_gone(self, found: NodeList) -> None:
        """Log who has vanished. While the database was away nobody could report, so all get time for it."""
        now_s, before = trio.current_time(), self._observed_s
        self._observed_s = now_s
        if now_s - before > GAP_S:
            self._watching_since_s = now_s
        if now_s - self._watching_since_s >= GONE_AFTER_S:
            for gone in just_gone(found.nodes, self._known, found.now):
                self._log.warning(
                    Event.CLUSTER_NODE_GONE,
                    node=gone.id,
                    name=gone.name,
                    address=gone.address,
                    led=gone.leads,
                )
            self._known.clear()
        self._known |= {each.id for each in found.nodes if each.is_alive(found.now)}

    def _note_clock(self, node: int, skew: ClockSkew) -> None:
        if not skew.is_worth_a_warning:
            self._log.reset_throttle(Event.CLUSTER_CLOCK_SKEWED)
            return
        ahead_s = {each.id: each.skew_s for each in self.alive} | {node: skew.ahead_s}
        self._log.log_throttled(
            "error" if skew.forbids_leading else "warning",
            Event.CLUSTER_CLOCK_SKEWED,
            ahead_s=round(skew.ahead_s, 3),
            wrong=f"{wrong_clock(node, ahead_s)} clock",
            may_lead=not skew.forbids_leading,
        )

    def _note_configs(self, configs: dict[str, list[str]]) -> None:
        if len(configs) > 1 and configs != self._configs:
            self._log.warning(Event.CLUSTER_CONFIG_DIFFERS, nodes=configs)
        self._configs = configs

    def _note_standbys(self, why_not: str | None) -> None:
        if why_not is not None and why_not != self.why_not_synchronous:
            self._log.warning(Event.CLUSTER_NOT_SYNCHRONOUS, why=why_not)
        self.why_not_synchronous = why_not
