"""How a node comes to its terms: it leads for ever with a database of its own, else it is elected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from missedd.engine.build import Engine
from missedd.engine.cluster.cluster import Cluster
from missedd.engine.cluster.cluster_leadership import ClusterLeadership
from missedd.engine.environment import Environment
from missedd.engine.leader.leader import LeaderState
from missedd.engine.leader.leader_words import decode_leader_state, encode_leader_state
from missedd.engine.leadership.term import Leadership, SoleLeadership
from missedd.engine.news_receiver import NodeNewsReceiver
from missedd.log.logger import Logger


def leader_state_elsewhere(cluster: Cluster) -> LeaderState:
    """What the leading node said with its last renewal."""
    return decode_leader_state(cluster.watch.leader_words)


@asynccontextmanager
async def leadership_of(engine: Engine, environment: Environment, log: Logger) -> AsyncIterator[Leadership]:
    """The leadership for the engine; while the block runs, news come and go."""
    cluster = engine.cluster
    if cluster is None:
        yield SoleLeadership()
        return
    leadership = ClusterLeadership(
        cluster.db,
        cluster.identity,
        environment.clock,
        log,
        cluster.watch,
        environment.slept_s,
        describe=lambda: encode_leader_state(engine.leader_state()),
        on_joined=cluster.news.joined,
        on_vacant=cluster.news.announce_vacancy,
    )
    receiver = NodeNewsReceiver(engine.link, engine.poll_changes, leadership.ask_soon)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cluster.news.send, name="news to other nodes")
            nursery.start_soon(cluster.news.receive, receiver, name="news of other nodes")
            yield leadership
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await cluster.db.close()
