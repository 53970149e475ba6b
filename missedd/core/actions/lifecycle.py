"""The life of an action as a table: which event may follow which state, and what comes of it.

Rule 1: a state changes only through `step`, and only along this table.
Rule 2: nothing follows `done`. Late, repeated and reordered news of a finished action is listed
as `IGNORED_EVENTS`, so that it is a decision and not an accident; anything else not in the table is a
mistake of ours and raises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from missedd.core.model import State


class ActionEvent(StrEnum):
    """What may happen to an action."""

    CLAIM = "claim"
    """The dispatcher takes it; the attempt is committed before its request goes out."""
    HOLD = "hold"
    CLOSE = "close"
    """A gate, or an operator, ends it without a request."""
    HAND_OVER = "hand-over"
    """The SMS applet of the call's own flow fetched the text before a request went out."""
    ACCEPT = "accept"
    DELIVER = "deliver"
    """The application took a webhook: accepted and done in one."""
    POSTPONE = "postpone"
    """Refused for now, surely without effect."""
    HOLD_LANE = "stall"
    """The provider takes nothing at all just now: surely not sent, it is held with its lane."""
    RELEASE = "release"
    """What held it is over: a pause, a quarantine, a trouble of the provider's. It is due when it was."""
    REFUSE = "refuse"
    REPLY_LOST = "lose"
    """The answer never came: a look-up decides, never another request."""
    FOUND = "find"
    """A look-up found it at the provider."""
    REPORT = "report"
    """The provider said how it ended."""
    CHECK_AGAIN = "wait"
    """A look-up brought nothing final; another will follow."""
    END_LOOKUPS = "give-up"


class IllegalTransition(AssertionError):
    """Our own mistake: this event cannot follow this state."""


ACTION_TRANSITIONS: Final[dict[tuple[State, ActionEvent], State]] = {
    (State.PLANNED, ActionEvent.CLAIM): State.ATTEMPTING,
    (State.PLANNED, ActionEvent.HOLD): State.HELD,
    (State.PLANNED, ActionEvent.CLOSE): State.DONE,
    (State.PLANNED, ActionEvent.HAND_OVER): State.DONE,
    (State.PLANNED, ActionEvent.REPORT): State.DONE,  # refused for now, we thought; it rang all the same
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
        # It is being sent: the applet gets nothing.
        (State.ATTEMPTING, ActionEvent.HAND_OVER),
        (State.PLACED, ActionEvent.HAND_OVER),
        *((State.DONE, step) for step in ActionEvent if step not in (ActionEvent.CLAIM, ActionEvent.HOLD)),
    }
)


def step(state: State, event: ActionEvent) -> State | None:
    """The state that follows, or None where the event changes nothing; raises `IllegalTransition`
    otherwise."""
    follows = ACTION_TRANSITIONS.get((state, event))
    if follows is None and (state, event) not in IGNORED_EVENTS:
        raise IllegalTransition(f"{event} cannot follow {state}")
    return follows


def mermaid_diagram() -> str:
    """The table as a Mermaid state diagram, for docs/concepts.md."""
    lines = ["stateDiagram-v2", "    [*] --> planned", "    [*] --> held", "    [*] --> done"]
    lines += [f"    {state} --> {follows}: {event}" for (state, event), follows in ACTION_TRANSITIONS.items()]
    return "\n".join([*lines, "    done --> [*]"])
