"""The table of a node's life, and what a node sees of the others."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from missedd.core.cluster.node_state import (
    IGNORED_NODE_EVENTS,
    NODE_TRANSITIONS,
    NodeEvent,
    NodeState,
    next_node_state,
)
from missedd.core.cluster.nodes import GONE_AFTER_S, ClusterNode, just_gone, nodes_by_config

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(("state", "event"), list(product(NodeState, NodeEvent)))
def test_each_pair_of_state_and_event_is_decided_once(state: NodeState, event: NodeEvent) -> None:
    pair = (state, event)
    assert not (pair in NODE_TRANSITIONS and pair in IGNORED_NODE_EVENTS)
    if pair in NODE_TRANSITIONS:
        assert next_node_state(state, event) is NODE_TRANSITIONS[pair]
    elif pair in IGNORED_NODE_EVENTS:
        assert next_node_state(state, event) is state
    else:
        with pytest.raises(AssertionError, match=f"{event} cannot follow {state}"):
            next_node_state(state, event)


def test_a_node_that_lost_is_elected_again_only_after_its_term_has_ended() -> None:
    into_leads = {state for (state, _), follows in NODE_TRANSITIONS.items() if follows is NodeState.LEADS}
    assert into_leads == {NodeState.JOINING, NodeState.TAKES_IN}
    assert next_node_state(NodeState.RETIRES, NodeEvent.TERM_ENDED) is NodeState.TAKES_IN


def node(number: int, *, seen_s_ago: float = 1.0, config: str = "a", stopped: bool = False) -> ClusterNode:
    seen_at = NOW - timedelta(seconds=seen_s_ago)
    return ClusterNode(
        id=number,
        name=f"shop-{number}",
        address=f"10.0.0.{number}:8081",
        version="1",
        config=config,
        started_at=NOW - timedelta(hours=1),
        seen_at=seen_at,
        stopped_at=seen_at if stopped else None,
        skew_s=0.0,
        leads=False,
    )


def test_a_node_is_gone_when_it_has_not_been_seen_for_ten_seconds() -> None:
    assert node(1, seen_s_ago=GONE_AFTER_S - 0.1).is_alive(NOW)
    assert not node(1, seen_s_ago=GONE_AFTER_S).is_alive(NOW)
    assert not node(1, stopped=True).is_alive(NOW)


def test_only_a_node_that_was_alive_and_did_not_stop_has_just_gone() -> None:
    nodes = [node(1), node(2, seen_s_ago=60), node(3, seen_s_ago=60, stopped=True), node(4, seen_s_ago=60)]
    assert [each.id for each in just_gone(nodes, {1, 2, 3}, NOW)] == [2]


def test_living_nodes_are_grouped_by_their_configuration_the_most_frequent_first() -> None:
    nodes = [node(1, config="b"), node(2), node(3), node(4, config="c", seen_s_ago=60)]
    assert nodes_by_config(nodes, NOW) == {
        "a": ["shop-2 (10.0.0.2:8081)", "shop-3 (10.0.0.3:8081)"],
        "b": ["shop-1 (10.0.0.1:8081)"],
    }
