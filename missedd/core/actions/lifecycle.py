"""The life of an action as a table: which event may follow which state, and which state comes next.

Rule 1: a state changes only through `step`, and only along this table.

Rule 2: nothing follows `done`. Late, repeated and reordered reports about a finished action are listed in
`IGNORED_EVENTS`, so that ignoring them is a decision and not an accident. Any other event that is not in the
table is a bug and raises `IllegalTransition`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from missedd.core.model import State


class ActionEvent(StrEnum):
    """What can happen to an action."""

    CLAIM = "claim"
    """The dispatcher takes it. The attempt is committed before its request is sent."""
    HOLD = "hold"
    CLOSE = "close"
    """A gate or an operator ends it without a request."""
    HAND_OVER = "hand-over"
    """The SMS applet in the call's own flow fetched the text before a request was sent."""
    ACCEPT = "accept"
    DELIVER = "deliver"
    """The application accepted a webhook: accepted and done in one step."""
    POSTPONE = "postpone"
    """Refused for now, certainly without effect."""
    HOLD_LANE = "stall"
    """The provider accepts nothing at present: certainly not sent, and held with its lane."""
    RELEASE = "release"
    """The cause of the hold is over: a pause, a quarantine, or trouble at the provider. It keeps its due
    time."""
    REFUSE = "refuse"
    REPLY_LOST = "lose"
    """The answer never came. A lookup finds out what happened; the request is never repeated."""
    FOUND = "find"
    """A lookup found it at the provider."""
    REPORT = "report"
    """The provider reported how it ended."""
    CHECK_AGAIN = "wait"
    """A lookup brought no final result; another one follows."""
    END_LOOKUPS = "give-up"
    """No lookup is left, or an operator ended them: the outcome stays unknown."""


class IllegalTransition(AssertionError):
    """A bug: this event cannot follow this state."""


ACTION_TRANSITIONS: Final[dict[tuple[State, ActionEvent], State]] = {
    (State.PLANNED, ActionEvent.CLAIM): State.ATTEMPTING,
    (State.PLANNED, ActionEvent.HOLD): State.HELD,
    (State.PLANNED, ActionEvent.CLOSE): State.DONE,
    (State.PLANNED, ActionEvent.HAND_OVER): State.DONE,
    (State.PLANNED, ActionEvent.REPORT): State.DONE,  # we thought it was refused, but it rang
    (State.HELD, ActionEvent.CLAIM): State.ATTEMPTING,
    (State.HELD, ActionEvent.HOLD): State.HELD,
    (State.HELD, ActionEvent.RELEASE): State.PLANNED,
    (State.HELD, ActionEvent.CLOSE): State.DONE,
    (State.HELD, ActionEvent.HAND_OVER): State.DONE,
    (State.HELD, ActionEvent.REPORT): State.DONE,
    (State.ATTEMPTING, ActionEvent.ACCEPT): State.PLACED,
    (State.ATTEMPTING, ActionEvent.DELIVER): State.DONE,
    (State.ATTEMPTING, ActionEvent.POSTPONE): State.PLANNED,
    (State.ATTEMPTING, ActionEvent.HOLD_LANE): State.HELD,
    (State.ATTEMPTING, ActionEvent.REFUSE): State.DONE,
    (State.ATTEMPTING, ActionEvent.REPLY_LOST): State.ATTEMPTING,
    (State.ATTEMPTING, ActionEvent.CHECK_AGAIN): State.ATTEMPTING,
    (State.ATTEMPTING, ActionEvent.FOUND): State.PLACED,
    (State.ATTEMPTING, ActionEvent.REPORT): State.DONE,  # the report overtook the answer
    (State.ATTEMPTING, ActionEvent.END_LOOKUPS): State.DONE,
    (State.PLACED, ActionEvent.CHECK_AGAIN): State.PLACED,
    (State.PLACED, ActionEvent.REPORT): State.DONE,
    (State.PLACED, ActionEvent.END_LOOKUPS): State.DONE,
}

IGNORED_EVENTS: Final[frozenset[tuple[State, ActionEvent]]] = frozenset(
    {
        (State.PLACED, ActionEvent.FOUND),
        # The SMS is being sent, so the applet gets nothing.
        (State.ATTEMPTING, ActionEvent.HAND_OVER),
        (State.PLACED, ActionEvent.HAND_OVER),
        *((State.DONE, step) for step in ActionEvent if step not in (ActionEvent.CLAIM, ActionEvent.HOLD)),
    }
)


def step(state: State, event: ActionEvent) -> State | None:
    """The next state, or None if the event changes nothing. Raises `IllegalTransition` for any other
    event."""
    following = ACTION_TRANSITIONS.get((state, event))
    if following is None and (state, event) not in IGNORED_EVENTS:
        raise IllegalTransition(f"{event} cannot follow {state}")
    return following


def mermaid_diagram() -> str:
    """The table as a Mermaid state diagram, for docs/concepts.md."""
    lines = ["stateDiagram-v2", "    [*] --> planned", "    [*] --> held", "    [*] --> done"]
    lines += [f"    {state} --> {follows}: {event}" for (state, event), follows in ACTION_TRANSITIONS.items()]
    return "\n".join([*lines, "    done --> [*]"])
