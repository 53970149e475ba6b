"""The nodes that share one database."""

from __future__ import annotations

from typing import Annotated

from missedd.base.clock import to_iso
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, Instant, about, one_of
from missedd.core.cluster.cluster_status import ClusterStatus

LEADS, TAKES_IN = "leads", "takes in"
ALIVE, GONE = "alive", "gone"


class NodeJson(ApiObject, frozen=True):
    """One start of a daemon. A daemon that is started again is another node."""

    node: Annotated[Count, about("Its number; no two starts have the same.")]
    name: str
    address: Annotated[str, about("Its private listener, as host:port.")]
    version: str
    role: Annotated[str, one_of((LEADS, TAKES_IN), "One node leads: it sends. All take calls in.")]
    state: Annotated[str, one_of((ALIVE, GONE), "A node that is gone is listed for a day.")]
    seen_at: Annotated[Instant, about("When it last reported, by the database's clock.")]
    skew_s: Annotated[float, about("Seconds by which its clock is ahead of the database's.")]
    config: Annotated[str, about("The fingerprint of its configuration; that of all nodes should be equal.")]


class NodesJson(ApiObject, frozen=True):
    """The leader first, then the living nodes, then those that are gone."""

    items: list[NodeJson]


def nodes_json(status: ClusterStatus) -> NodesJson:
    """The nodes as the API shows them."""
    return NodesJson(
        [
            NodeJson(
                node=node.id,
                name=node.name,
                address=node.address,
                version=node.version,
                role=LEADS if node.leads and node.is_alive(status.now) else TAKES_IN,
                state=ALIVE if node.is_alive(status.now) else GONE,
                seen_at=to_iso(node.seen_at),
                skew_s=round(node.skew_s, 3),
                config=node.config,
            )
            for node in status.listed()
        ]
    )
