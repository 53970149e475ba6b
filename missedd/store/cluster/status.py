"""What an operator sees of the nodes, read from the database that they share."""

from __future__ import annotations

from missedd.base.clock import from_us
from missedd.core.cluster.cluster_status import ClusterStatus
from missedd.store.cluster.leadership import look_at_leadership
from missedd.store.cluster.nodes import list_nodes
from missedd.store.cluster.standbys import why_not_synchronous
from missedd.store.db.database import ReadOnlyDatabase


async def read_cluster_status(db: ReadOnlyDatabase) -> ClusterStatus:
    """The nodes of the last day, the term, and the standbys, by the database's clock."""
    nodes, _ = await list_nodes(db)
    look = await look_at_leadership(db)
    return ClusterStatus(
        tuple(nodes),
        from_us(look.now_us),
        look.row.epoch,
        from_us(look.row.renewed_us),
        await why_not_synchronous(db),
    )
