"""Faults of the database machines. Each strikes when it is called, and gives what mends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.cluster.cluster import Cluster
from tests.cluster.machine import DatabaseMachine

Mend = Callable[[], None]
Fault = Callable[[Cluster], Mend]


def kill_server(cluster: Cluster) -> Mend:
    """The primary's server dies, and Patroni beside it lives: the standby is promoted at once."""
    cluster.primary().kill_server()
    return _nothing


def kill_primary(cluster: Cluster) -> Mend:
    """The primary's machine dies. Nobody knows that it did before its lease, Patroni's `ttl`, is over."""
    return _kill(cluster.primary())


def kill_standby(cluster: Cluster) -> Mend:
    """A standby's machine dies: the other one is enough."""
    return _kill(cluster.standby())


def hang_primary(cluster: Cluster) -> Mend:
    """The primary's machine stands still, and comes back when another is the primary."""
    machine = cluster.primary()
    machine.hang()
    return machine.wake


def switch_over(cluster: Cluster) -> Mend:
    """An operator makes the standby the primary."""
    cluster.switch_over()
    return _nothing


DATABASE_FAULTS: Mapping[str, Fault] = {
    "kill-server": kill_server,
    "kill-primary": kill_primary,
    "kill-standby": kill_standby,
    "hang-primary": hang_primary,
    "switch-over": switch_over,
}


def _kill(machine: DatabaseMachine) -> Mend:
    machine.kill()
    return machine.start


def _nothing() -> None:
    """Patroni does it alone."""
