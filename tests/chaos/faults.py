"""Faults of nodes, database machines and the network between. Each strikes, lasts, and mends itself.

A fault calls `struck` in the instant in which it strikes: what is measured counts from there.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from functools import partial

from tests.chaos.nodes import Node
from tests.chaos.site import Site
from tests.cluster import faults as database_faults
from tests.cluster.fault_proxy import Network

type Struck = Callable[[], None]
type ChaosFault = Callable[[Site, Struck], None]

TAKEOVER_AT_MOST_S = 60.0
"""Until another node leads: a lease of 10 s, on a machine where everything runs on two cores."""


def kill_follower(site: Site, struck: Struck) -> None:
    """kill -9 of a node that only takes in."""
    node = site.follower()
    struck()
    node.kill()
    time.sleep(site.rng.random())
    node.start()


def kill_leader(site: Site, struck: Struck) -> None:
    """kill -9 of the node that leads, which stays down until another one leads."""
    leader = site.require_leader()
    struck()
    leader.kill()
    _wait_for_another(site, leader)
    leader.start()


def freeze_follower(site: Site, struck: Struck) -> None:
    """SIGSTOP of a node that only takes in, for some seconds."""
    node = site.follower()
    struck()
    node.freeze()
    time.sleep(site.rng.uniform(0.5, 6))
    node.wake()


def freeze_leader(site: Site, struck: Struck) -> None:
    """SIGSTOP of the node that leads; it wakes when another leads, and believes that it does."""
    leader = site.require_leader()
    struck()
    leader.freeze()
    _wait_for_another(site, leader)
    time.sleep(site.rng.random())
    leader.wake()


def doze_leader(site: Site, struck: Struck) -> None:
    """SIGSTOP of the node that leads for about as long as its lease: it wakes as another takes over."""
    leader = site.require_leader()
    struck()
    leader.freeze()
    time.sleep(site.rng.uniform(7, 13))
    leader.wake()


def stop_leader(site: Site, struck: Struck) -> None:
    """SIGTERM, as for an upgrade: it hands over."""
    leader = site.require_leader()
    struck()
    assert leader.signal(signal.SIGTERM) == 0
    leader.start()


def replace_primary(fault: database_faults.Fault, site: Site, struck: Struck) -> None:
    """A fault that makes another machine the primary; then it is mended."""
    was = site.cluster.primary()
    struck()
    mend = fault(site.cluster)
    site.wait_for("other primary", lambda: site.cluster.machine_with("leader") not in (None, was))
    mend()


def kill_standby(site: Site, struck: Struck) -> None:
    """A standby's machine dies, and comes back some seconds later."""
    struck()
    mend = database_faults.kill_standby(site.cluster)
    time.sleep(site.rng.uniform(1, 5))
    mend()


def lose_answers(site: Site, struck: Struck) -> None:
    """The answers to some COMMITs of each node are lost, with their connections: committed, and unknown."""
    struck()
    for node in site.nodes:
        for proxy in node.proxies:
            proxy.lose_commit_answers(3)
    _let_losses_end(site, "lost_answers")


def lose_requests(site: Site, struck: Struck) -> None:
    """Some COMMITs of each node never arrive: not committed, and unknown."""
    struck()
    for node in site.nodes:
        for proxy in node.proxies:
            proxy.lose_commit_requests(3)
    _let_losses_end(site, "lost_requests")


def silence_leader(site: Site, struck: Struck) -> None:
    """The leader's network to the database carries nothing; what was on its way arrives after a takeover."""
    leader = site.require_leader()
    struck()
    leader.become(Network.SILENT)
    _wait_for_another(site, leader)
    time.sleep(site.rng.random())
    leader.become(Network.WELL)


def silence_all(site: Site, struck: Struck) -> None:
    """No node hears anything of the database for some seconds; then connections break."""
    struck()
    for node in site.nodes:
        node.become(Network.SILENT)
    time.sleep(site.rng.uniform(1, 12))
    for node in site.nodes:
        node.cut()
        node.become(Network.WELL)


def slow_network(site: Site, struck: Struck) -> None:
    """Each piece takes a quarter of a second, in both directions, as to another continent."""
    struck()
    for node in site.nodes:
        for proxy in node.proxies:
            proxy.delay_s = 0.25
    time.sleep(5)
    for node in site.nodes:
        for proxy in node.proxies:
            proxy.delay_s = 0.0


def cut_off(site: Site, struck: Struck) -> None:
    """All connections break at once, and new ones are refused for some seconds."""
    struck()
    for node in site.nodes:
        node.become(Network.REFUSING)
        node.cut()
    time.sleep(site.rng.uniform(0, 5))
    for node in site.nodes:
        node.become(Network.WELL)


FAULTS: Mapping[str, ChaosFault] = {
    "kill-follower": kill_follower,
    "kill-leader": kill_leader,
    "freeze-follower": freeze_follower,
    "freeze-leader": freeze_leader,
    "doze-leader": doze_leader,
    "stop-leader": stop_leader,
    "kill-server": partial(replace_primary, database_faults.kill_server),
    "kill-primary": partial(replace_primary, database_faults.kill_primary),
    "hang-primary": partial(replace_primary, database_faults.hang_primary),
    "switch-over": partial(replace_primary, database_faults.switch_over),
    "kill-standby": kill_standby,
    "lose-answers": lose_answers,
    "lose-requests": lose_requests,
    "silence-leader": silence_leader,
    "silence-all": silence_all,
    "slow-network": slow_network,
    "cut-off": cut_off,
}


def _wait_for_another(site: Site, leader: Node) -> None:
    def is_another() -> bool:
        now = site.leader()
        return now is not None and now is not leader

    site.wait_for("other leader", is_another, TAKEOVER_AT_MOST_S)


def _let_losses_end(site: Site, what: str) -> None:
    """Callers ring all the time, so those that are wanted come; the rest is called off after a while."""
    time.sleep(3)
    for node in site.nodes:
        for proxy in node.proxies:
            getattr(proxy, what).wanted = 0
