"""What an operator may say of an action whose outcome nobody learnt, and what may be said of it.

An action that ended as `unknown` keeps that outcome: nothing follows a final state. What a person
found out stands beside it, once, and the figures count it. An action whose answer was lost and
that is still being looked for may be settled too: its look-ups end.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from missedd.core.model import Kind, Outcome, State

RESOLVABLE_OUTCOMES: Final[dict[Kind, tuple[Outcome, ...]]] = {
    Kind.CALLBACK: (Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED),
    Kind.SMS: (Outcome.DELIVERED, Outcome.FAILED),
}
"""What can have become of each kind. A webhook is sent until it is delivered or parked, never unknown."""

RESOLUTION_OUTCOMES: Final = tuple(
    dict.fromkeys(outcome for each in RESOLVABLE_OUTCOMES.values() for outcome in each)
)


class Resolution(StrEnum):
    """What came of an operator's word."""

    SETTLED = "settled"
    UNCHANGED = "unchanged"
    """The same was said before."""
    NO_SUCH_ACTION = "no-such-action"
    NOT_UNKNOWN = "not-unknown"
    """Its outcome is known, or it may still become known by itself."""
    SETTLED_OTHERWISE = "settled-otherwise"
    WRONG_OUTCOME = "wrong-outcome"
    """No action of this kind can end like that."""


def check_resolution(
    kind: Kind,
    state: State,
    outcome: Outcome | None,
    recorded: Outcome | None,
    wanted: Outcome,
    *,
    is_lost: bool,
) -> Resolution:
    """Whether `wanted` may be said of an action; `is_lost` if its request's answer never came."""
    if outcome is not Outcome.UNKNOWN and not (state is State.ATTEMPTING and is_lost):
        return Resolution.NOT_UNKNOWN
    if wanted not in RESOLVABLE_OUTCOMES.get(kind, ()):
        return Resolution.WRONG_OUTCOME
    if recorded is None:
        return Resolution.SETTLED
    return Resolution.UNCHANGED if recorded is wanted else Resolution.SETTLED_OTHERWISE
