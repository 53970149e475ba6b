"""This node in the list of nodes: it joins, reports that it is there, and leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from missedd.log.logger import Event, Logger
from missedd.store.cluster import nodes
from missedd.store.cluster.coordination import Coordination


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """How this node appears in the list of nodes."""

    name: str
    address: str
    """Its private listener, as host:port."""
    version: str
    config: str
    """The fingerprint of its configuration."""


class Membership:
    """The row of this node. All methods raise `NotDurable` if the database does not answer."""

    def __init__(
        self, db: Coordination, identity: NodeIdentity, log: Logger, on_joined: Callable[[int], None]
    ) -> None:
        """`on_joined` is called with the node's number."""
        self._db = db
        self._identity = identity
        self._log = log
        self._on_joined = on_joined
        self.node: int | None = None
        """The number of this node; None until it has joined."""

    async def join(self) -> int:
        """The number of this node, which joins if it has not yet."""
        if self.node is None:
            own = self._identity
            self.node = await nodes.join(self._db, own.name, own.address, own.version, own.config)
            self._log.info(
                Event.CLUSTER_JOINED, node=self.node, name=own.name, address=own.address, config=own.config
            )
            self._on_joined(self.node)
        return self.node

    async def report(self, node: int, skew_s: float) -> None:
        """Say that the node is there. If it was away for longer than rows are kept, it joins again soon."""
        if not await nodes.report_alive(self._db, node, skew_s):
            self.node = None

    async def leave(self) -> None:
        """Say that the node has stopped, so that nobody misses it."""
        if self.node is not None:
            await nodes.report_stopped(self._db, self.node)
