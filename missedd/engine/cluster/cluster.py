"""What connects a node to the others on its database."""

from __future__ import annotations

from dataclasses import dataclass

from missedd.base.version import __version__
from missedd.config.loader import Settings
from missedd.config.store_location import PostgresqlLocation
from missedd.engine.cluster.cluster_news import ClusterNews
from missedd.engine.cluster.cluster_watch import ClusterWatch
from missedd.engine.cluster.membership import NodeIdentity
from missedd.log.logger import Logger
from missedd.store.cluster.coordination import Coordination
from missedd.store.store import Driver, SharedDriver


@dataclass(frozen=True, slots=True)
class Cluster:
    """This node's connection for the cluster, and what it knows by it."""

    db: Coordination
    identity: NodeIdentity
    watch: ClusterWatch
    news: ClusterNews


def join_cluster(settings: Settings, driver: Driver, log: Logger, address: str) -> Cluster | None:
    """The cluster on the settings' database; None for a file, which no other daemon shares.

    `address` is where this node's private listener is, as host:port. Nothing is connected yet.
    """
    if not isinstance(settings.store, PostgresqlLocation):
        return None
    if not isinstance(driver, SharedDriver):
        raise AssertionError(f"{type(driver).__name__} is no driver of PostgreSQL")
    db = driver.coordination(settings.store)
    identity = NodeIdentity(settings.node_name, address, __version__, settings.fingerprint)
    return Cluster(db, identity, ClusterWatch(log), ClusterNews(db, log))
