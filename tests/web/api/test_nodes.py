"""The API and the page of the nodes, and what the page of today says about them."""

from __future__ import annotations

from datetime import timedelta

from tests.core.cluster.test_cluster_status import NOW, node, status
from tests.web.api.documented import conforms, schemas
from tests.web.conftest import Private

KEYS = ["node", "name", "address", "version", "role", "state", "seen_at", "skew_s", "config"]


async def test_a_daemon_alone_is_one_node(private: Private) -> None:
    found = await private.json("/api/v1/nodes")
    assert conforms(found, schemas()["Nodes"])
    (alone,) = found["items"]
    assert list(alone) == KEYS
    assert (alone["node"], alone["name"], alone["role"], alone["state"]) == (1, "delhi-1", "leads", "alive")
    page = await private.html("/nodes")
    assert "has its database alone" in page
    assert "Needs a person" not in page


async def test_all_nodes_are_listed(private: Private) -> None:
    private.cluster.status = status(node(1, leads=True), node(2, skew_s=0.7514), node(3, seen_s_ago=60))
    items = (await private.json("/api/v1/nodes"))["items"]
    assert [(each["node"], each["role"], each["state"]) for each in items] == [
        (1, "leads", "alive"),
        (2, "takes in", "alive"),
        (3, "takes in", "gone"),
    ]
    assert items[1]["skew_s"] == 0.751
    assert items[0]["seen_at"] == (NOW - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


async def test_the_page_says_what_needs_a_person(private: Private) -> None:
    private.cluster.status = status(
        node(1, leads=True), node(2, config="b"), why="synchronous_standby_names is empty"
    )
    page = await private.html("/nodes")
    assert "The nodes have different configurations" in page
    assert "Synchronous_standby_names is empty" in page
    assert "on one machine only" in page
    assert '<span class="chip bad">b</span>' in page
    today = await private.html("/")
    assert '<a href="/nodes">Nodes</a>: the nodes have different configurations' in today


async def test_a_healthy_cluster_needs_nobody(private: Private) -> None:
    private.cluster.status = status(node(1, leads=True), node(2))
    page = await private.html("/nodes")
    assert "each waits for a standby" in page
    assert "Needs a person" not in page + await private.html("/")
