"""The life of a node as a table: what may follow what, from its start to its stop.

Nothing here ends the process. A node that loses its leadership goes on taking in, and can be elected again as
soon as the parts of its last term have stopped.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class NodeState(StrEnum):
    JOINING = "joining"
    """It has not decided yet whether it leads."""
    TAKES_IN = "takes in"
    LEADS = "leads"
    RETIRES = "retires"
    """Its term is over, and the parts that send are stopping. It takes in, and is no candidate yet."""
    STOPPED = "stopped"


class NodeEvent(StrEnum):
    DECIDED = "decided"
    """It knows that another node leads, or that it must wait for the end of a lease, or may not lead."""
    ELECTED = "elected"
    LOST = "lost"
    """Its lease has run out, another node has taken over, or its clock forbids to lead."""
    TERM_ENDED = "term ended"
    """The last part that sends has stopped."""
    STOPPED = "stopped"


NODE_TRANSITIONS: Final[dict[tuple[NodeState, NodeEvent], NodeState]] = {
    (NodeState.JOINING, NodeEvent.DECIDED): NodeState.TAKES_IN,
    (NodeState.JOINING, NodeEvent.ELECTED): NodeState.LEADS,
    (NodeState.TAKES_IN, NodeEvent.ELECTED): NodeState.LEADS,
    (NodeState.LEADS, NodeEvent.LOST): NodeState.RETIRES,
    (NodeState.LEADS, NodeEvent.TERM_ENDED): NodeState.TAKES_IN,  # it stops of its own accord
    (NodeState.RETIRES, NodeEvent.TERM_ENDED): NodeState.TAKES_IN,
    **{(state, NodeEvent.STOPPED): NodeState.STOPPED for state in NodeState if state != NodeState.STOPPED},
}

IGNORED_NODE_EVENTS: Final[frozenset[tuple[NodeState, NodeEvent]]] = frozenset(
    {
        # Several parts may notice the loss: the lease's end, the next renewal, a fence.
        (NodeState.RETIRES, NodeEvent.LOST),
        (NodeState.TAKES_IN, NodeEvent.LOST),
        *((NodeState.STOPPED, event) for event in NodeEvent),
        # Each round decides anew.
        *((state, NodeEvent.DECIDED) for state in (NodeState.TAKES_IN, NodeState.LEADS, NodeState.RETIRES)),
    }
)


def next_node_state(state: NodeState, event: NodeEvent) -> NodeState:
    """The state that follows; the same one if the event changes nothing. Any other pair is a bug, and raises
    `AssertionError`."""
    following = NODE_TRANSITIONS.get((state, event))
    if following is None and (state, event) not in IGNORED_NODE_EVENTS:
        raise AssertionError(f"{event} cannot follow {state}")
    return following or state
