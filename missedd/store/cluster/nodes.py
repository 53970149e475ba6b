"""The table `nodes`: a row for each start of a daemon. PostgreSQL only; all instants are the database's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from missedd.base.clock import from_us
from missedd.core.cluster.nodes import KEPT_AFTER_GONE, ClusterNode
from missedd.store.cluster.coordination import Coordination
from missedd.store.db.database import ReadOnlyDatabase, Row

_ALL: Final = """
SELECT n.id, n.name, n.address, n.version, n.config, n.started_at, n.seen_at, n.stopped_at, n.skew_us,
       CASE WHEN l.node = n.id THEN 1 ELSE 0 END, db_now_us()
FROM nodes n LEFT JOIN leadership l ON l.node = n.id ORDER BY n.id"""


class NodeList(NamedTuple):
    nodes: list[ClusterNode]
    """By id, so in the order of their starts."""
    now: datetime
    """The database's time."""


async def join(db: Coordination, name: str, address: str, version: str, config: str) -> int:
    """Add this node to the list, and return its id. A name or an address is no identity: another daemon may
    have had them before, and its unfinished business must not be taken for this node's."""
    ((node,),) = await db.fetch_all(
        "INSERT INTO nodes (id, name, address, version, config, started_at, seen_at, skew_us) "
        "VALUES (nextval('node_ids'), ?, ?, ?, ?, db_now_us(), db_now_us(), 0) RETURNING id",
        (name, address, version, config),
    )
    return int(node)


async def report_alive(db: Coordination, node: int, skew_s: float) -> bool:
    """Say that the node is there. False if its row is gone: it was away for longer than a day."""
    rows = await db.fetch_all(
        "UPDATE nodes SET seen_at = db_now_us(), skew_us = ? WHERE id = ? RETURNING id",
        (round(skew_s * 1e6), node),
    )
    return bool(rows)


async def report_stopped(db: Coordination, node: int) -> None:
    await db.fetch_all(
        "UPDATE nodes SET seen_at = db_now_us(), stopped_at = db_now_us() WHERE id = ? RETURNING id", (node,)
    )


async def list_nodes(db: ReadOnlyDatabase) -> NodeList:
    """Every node that is alive, or was within the last day."""
    rows = await db.fetch_all(_ALL)
    nodes = [_node(row) for row in rows]
    now = from_us(rows[0][-1] if rows else 0)
    return NodeList([node for node in nodes if now - node.seen_at < KEPT_AFTER_GONE], now)


async def prune_nodes(db: Coordination) -> int:
    """Delete the nodes that are gone for longer than a day. Returns how many there were."""
    day_us = KEPT_AFTER_GONE // timedelta(microseconds=1)
    rows = await db.fetch_all("DELETE FROM nodes WHERE seen_at < db_now_us() - ? RETURNING id", (day_us,))
    return len(rows)


def _node(row: Row) -> ClusterNode:
    node, name, address, version, config, started_us, seen_us, stopped_us, skew_us, leads, _ = row
    return ClusterNode(
        id=node,
        name=name,
        address=address,
        version=version,
        config=config,
        started_at=from_us(started_us),
        seen_at=from_us(seen_us),
        stopped_at=None if stopped_us is None else from_us(stopped_us),
        skew_s=skew_us / 1e6,
        leads=bool(leads),
    )
