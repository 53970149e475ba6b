"""What an operator is told of the nodes, and that a healthy cluster says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from missedd.core.api_types.nodes import nodes_json
from missedd.core.cluster.cluster_status import ClusterStatus, sole_node
from missedd.core.cluster.nodes import ClusterNode

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def node(
    number: int,
    *,
    leads: bool = False,
    seen_s_ago: float = 1.0,
    stopped: bool = False,
    config: str = "a",
    skew_s: float = 0.0,
    name: str | None = None,
) -> ClusterNode:
    seen_at = NOW - timedelta(seconds=seen_s_ago)
    return ClusterNode(
        id=number,
        name=name or f"n{number}",
        address="10.0.0.1:8081",
        version="0.3.0",
        config=config,
        started_at=seen_at,
        seen_at=seen_at,
        stopped_at=seen_at if stopped else None,
        skew_s=skew_s,
        leads=leads,
    )


def status(*nodes: ClusterNode, renewed_s_ago: float = 1.0, why: str | None = None) -> ClusterStatus:
    return ClusterStatus(nodes, NOW, 7, NOW - timedelta(seconds=renewed_s_ago), why)


def warnings(*nodes: ClusterNode, renewed_s_ago: float = 1.0, why: str | None = None) -> list[str]:
    return list(status(*nodes, renewed_s_ago=renewed_s_ago, why=why).warnings())


def test_a_healthy_cluster_needs_nobody() -> None:
    assert warnings(node(1, leads=True), node(2)) == []
    assert warnings(node(1, leads=True), node(2, seen_s_ago=100, stopped=True)) == []


def test_a_daemon_alone_leads_and_needs_nobody() -> None:
    alone = sole_node("shop", "127.0.0.1:8081", "0.3.0", "a", NOW - timedelta(days=3), NOW)
    assert list(alone.warnings()) == []
    assert not alone.is_shared
    (shown,) = nodes_json(alone).items
    assert (shown.role, shown.state, shown.skew_s) == ("leads", "alive", 0.0)


def test_the_leader_comes_first_and_the_gone_last_for_a_day() -> None:
    nodes = (
        node(1, seen_s_ago=90_000),
        node(2, seen_s_ago=80_000),
        node(3),
        node(4, leads=True),
        node(5, stopped=True),
    )
    shown = [(each.node, each.role, each.state) for each in nodes_json(status(*nodes)).items]
    assert shown == [
        (4, "leads", "alive"),
        (3, "takes in", "alive"),
        (2, "takes in", "gone"),
        (5, "takes in", "gone"),
    ]


def test_a_leader_that_is_gone_takes_in() -> None:
    (shown,) = nodes_json(status(node(1, leads=True, seen_s_ago=11))).items
    assert (shown.role, shown.state) == ("takes in", "gone")


def test_a_change_of_leader_is_no_warning_until_it_lasts() -> None:
    assert warnings(node(1), node(2), renewed_s_ago=14) == []
    (warning,) = warnings(node(1), node(2), renewed_s_ago=16)
    assert warning.startswith("no node leads")


def test_a_node_that_vanished_is_named_until_it_is_back() -> None:
    gone = node(1, seen_s_ago=60)
    (warning,) = warnings(gone, node(2, leads=True))
    assert "n1 (10.0.0.1:8081) has vanished" in warning
    assert warnings(gone, node(2, leads=True), node(3, name="n1")) == []
    assert warnings(node(1, seen_s_ago=90_000), node(2, leads=True)) == []


def test_different_configurations_are_told_with_their_nodes() -> None:
    (warning,) = warnings(
        node(1, leads=True), node(2), node(3, config="b"), node(4, config="c", stopped=True)
    )
    assert "a: n1 (10.0.0.1:8081), n2 (10.0.0.1:8081); b: n3 (10.0.0.1:8081)" in warning


def test_a_clock_that_differs_is_told_with_its_node() -> None:
    (warning,) = warnings(node(1, leads=True), node(2, skew_s=-0.6), node(3))
    assert warning.startswith("the clock of n2 (10.0.0.1:8081) is 0.6 s behind the database's:")
    (warning,) = warnings(node(1, leads=True), node(2, skew_s=2.5), node(3))
    assert "is 2.5 s ahead of the database's, so it may not lead" in warning


def test_where_most_nodes_agree_the_database_is_named() -> None:
    (warning,) = warnings(node(1, leads=True, skew_s=1.0), node(2, skew_s=1.1), node(3, skew_s=0.9))
    assert warning.startswith("the database's clock differs")


def test_a_database_without_a_standby_is_told() -> None:
    (warning,) = warnings(node(1, leads=True), why="no standby is connected")
    assert warning.startswith("no standby is connected, so acknowledged calls are lost")
