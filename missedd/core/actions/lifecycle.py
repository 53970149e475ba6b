"""The life of an action as a table: which event may follow which state, and what comes of it.

Rule 1: a state changes only through `step`, and only along this table.
Rule 2: nothing follows `done`. Late, repeated and reordered news of a finished action is listed
as `IGNORED`, so that it is a decision and not an accident; anything else not in the table is a
mistake of ours and raises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from missedd.core.model import State


class Step(StrEnum):
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
    STALL = "stall"
    """The provider takes nothing at all just now: surely not sent, it is held with its lane."""
    RELEASE = "release"
    """What held it is over: a pause, a quarantine, a trouble of the provider's. It is due when it was."""
    REFUSE = "refuse"
    LOSE = "lose"
    """The answer never came: a look-up decides, never another request."""
    FIND = "find"
    """A look-up found it at the provider."""
    REPORT = "report"
    """The provider said how it ended."""
    WAIT = "wait"
    """A look-up brought nothing final; another will follow."""
    GIVE_UP = "give-up"


class IllegalStep(AssertionError):
    """Our own mistake: this event cannot follow this state."""


TABLE: Final[dict[tuple[State, Step], State]] = {
    (State.PLANNED, Step.CLAIM): State.ATTEMPTING,
    (State.PLANNED, Step.HOLD): State.HELD,
    (State.PLANNED, Step.CLOSE): State.DONE,
    (State.PLANNED, Step.HAND_OVER): State.DONE,
    (State.PLANNED, Step.REPORT): State.DONE,  # refused for now, we thought; it rang all the same
    (State.HELD, Step.CLAIM): State.ATTEMPTING,
    (State.HELD, Step.HOLD): State.HELD,
    (State.HELD, Step.RELEASE): State.PLANNED,
    (State.HELD, Step.CLOSE): State.DONE,
    (State.HELD, Step.HAND_OVER): State.DONE,
    (State.HELD, Step.REPORT): State.DONE,
    (State.ATTEMPTING, Step.ACCEPT): State.PLACED,
    (State.ATTEMPTING, Step.DELIVER): State.DONE,
    (State.ATTEMPTING, Step.POSTPONE): State.PLANNED,
    (State.ATTEMPTING, Step.STALL): State.HELD,
    (State.ATTEMPTING, Step.REFUSE): State.DONE,
    (State.ATTEMPTING, Step.LOSE): State.ATTEMPTING,
    (State.ATTEMPTING, Step.WAIT): State.ATTEMPTING,
    (State.ATTEMPTING, Step.FIND): State.PLACED,
    (State.ATTEMPTING, Step.REPORT): State.DONE,  # the report overtook the answer
    (State.ATTEMPTING, Step.GIVE_UP): State.DONE,
    (State.PLACED, Step.WAIT): State.PLACED,
    (State.PLACED, Step.REPORT): State.DONE,
    (State.PLACED, Step.GIVE_UP): State.DONE,
}

IGNORED: Final[frozenset[tuple[State, Step]]] = frozenset(
    {
        (State.PLACED, Step.FIND),
        # It is being sent: the applet gets nothing.
        (State.ATTEMPTING, Step.HAND_OVER),
        (State.PLACED, Step.HAND_OVER),
        *((State.DONE, step) for step in Step if step not in (Step.CLAIM, Step.HOLD)),
    }
)


def step(state: State, event: Step) -> State | None:
    """The state that follows, or None where the event changes nothing; raises `IllegalStep` otherwise."""
    follows = TABLE.get((state, event))
    if follows is None and (state, event) not in IGNORED:
        raise IllegalStep(f"{event} cannot follow {state}")
    return follows


def diagram() -> str:
    """The table as a Mermaid state diagram, for the README."""
    lines = ["stateDiagram-v2", "    [*] --> planned", "    [*] --> held", "    [*] --> done"]
    lines += [f"    {state} --> {follows}: {event}" for (state, event), follows in TABLE.items()]
    return "\n".join([*lines, "    done --> [*]"])
