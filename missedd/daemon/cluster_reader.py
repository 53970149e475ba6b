"""How this daemon sees the nodes on its database: in the database that they share, or itself alone."""

from __future__ import annotations

from functools import partial

from missedd.base.clock import Clock
from missedd.base.version import __version__
from missedd.config.loader import Settings
from missedd.config.store_location import PostgresqlLocation
from missedd.core.cluster.cluster_status import ClusterStatus, sole_node
from missedd.store.cluster.status import read_cluster_status
from missedd.store.store import Store
from missedd.web.shared.ports import ClusterReader


def cluster_reader(settings: Settings, store: Store, address: str, clock: Clock) -> ClusterReader:
    """Reads the nodes; `address` is where the private listener of this one was bound, host:port."""
    if isinstance(settings.store, PostgresqlLocation):
        return partial(store.read, read_cluster_status)
    return sole_node_reader(settings.node_name, address, settings.fingerprint, clock)


def sole_node_reader(name: str, address: str, config: str, clock: Clock) -> ClusterReader:
    """The status of a daemon that has its database alone; `config` is its configuration's fingerprint."""
    since = clock.now()

    async def alone() -> ClusterStatus:
        return sole_node(name, address, __version__, config, since, clock.now())

    return alone
