"""Performs the events of a timeline that concern one of several daemons, or the database of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import trio

from simulator.harness.cluster.simulated_database import ActiveDatabaseFault, SimulatedDatabase
from simulator.harness.cluster.simulated_node import SimulatedNode
from simulator.harness.daemon_host import DaemonHost
from simulator.harness.event_parameters import remove_if_present, run_after
from simulator.harness.host_supervisor import HostSupervisor
from simulator.scenario.cluster import LEADER, DatabaseFault, Link
from simulator.scenario.value_readers import duration_s, signed_duration


class ClusterControl:
    """What happens to a daemon happens beside the timeline: one that stands still takes its time to stop."""

    def __init__(
        self, supervisors: Sequence[HostSupervisor], database: SimulatedDatabase, nursery: trio.Nursery
    ) -> None:
        self._supervisors = supervisors
        self._database = database
        self._nursery = nursery

    def perform(self, kind: str, value: Any, params: Mapping[str, Any]) -> None:
        """Perform an event. One for the leader does nothing while nobody leads."""
        if kind == "database":
            self._trouble_database(DatabaseFault(value), params)
        elif kind == "daemon" and "node" not in params:
            self._nursery.start_soon(self._restart_all, duration_s(params.get("down", 0)))
        elif (supervisor := self._supervisor_of(params["node"])) is not None:
            self._perform_on(supervisor, kind, value, params)

    def _supervisor_of(self, node: int | str) -> HostSupervisor | None:
        if node == LEADER:
            return next((each for each in self._supervisors if each.host.epoch is not None), None)
        return self._supervisors[int(node) - 1]

    def _perform_on(
        self, supervisor: HostSupervisor, kind: str, value: Any, params: Mapping[str, Any]
    ) -> None:
        host, node = supervisor.host, _node_of(supervisor.host)
        match kind:
            case "daemon" if value == "pause":
                for_s = duration_s(params["for"])
                begin = partial(self._stand_still, host, for_s)
                if writes := params.get("after_writes"):
                    node.stand_still_after_writes(writes, begin)
                else:
                    begin()
            case "daemon":
                self._nursery.start_soon(supervisor.control, value, params)
            case "clock_step":
                host.clock.offset += signed_duration(value)
            case "cut":
                link = Link(value)
                node.cuts[link] += 1
                node.meet(f"cuts from the {link}")
                self._undo_later(params, partial(node.cuts.subtract, [link]))
            case other:
                raise AssertionError(f"{other} is no event of a single daemon")

    def _stand_still(self, host: DaemonHost, for_s: float) -> None:
        if host.is_running and _node_of(host).standstill.since_s is None:
            self._nursery.start_soon(self._stand_still_for, host, for_s)

    async def _stand_still_for(self, host: DaemonHost, for_s: float) -> None:
        node, epoch = _node_of(host), host.epoch
        node.standstill.begin()
        if epoch is not None:
            node.meet("standstills of a leader")
        await trio.sleep(for_s)
        newest = max((each.host.epoch or 0 for each in self._supervisors), default=0)
        if epoch is not None and newest > epoch:
            node.meet("standstills past the lease")
        node.standstill.end()

    async def _restart_all(self, down_s: float) -> None:
        """A rolling restart: each daemon is up again before the next one stops."""
        self._database.situations["rolling restarts"] += 1
        for supervisor in self._supervisors:
            if supervisor.host.is_up:
                await supervisor.host.stop()
                await supervisor.start_after(down_s)

    def _trouble_database(self, name: DatabaseFault, params: Mapping[str, Any]) -> None:
        if name is DatabaseFault.AWAY:
            self._database.situations["outages of the database"] += 1
        fault = ActiveDatabaseFault(name, params.get("probability", 1.0))
        self._database.active.append(fault)
        self._undo_later(params, partial(remove_if_present, self._database.active, fault))

    def _undo_later(self, params: Mapping[str, Any], undo: Callable[[], object]) -> None:
        if "for" in params:
            self._nursery.start_soon(run_after, duration_s(params["for"]), undo)

    def end_all_faults(self) -> None:
        """The database is there, no link is cut, no daemon stands still, and all clocks are right."""
        self._database.active.clear()
        for supervisor in self._supervisors:
            node = _node_of(supervisor.host)
            node.cuts.clear()
            node.on_write = None
            node.standstill.end()
            if supervisor.host.clock.offset:
                supervisor.host.clock.offset = timedelta(0)


def _node_of(host: DaemonHost) -> SimulatedNode:
    if host.node is None:
        raise AssertionError("a host of a cluster is a node")
    return host.node
