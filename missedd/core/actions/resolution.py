"""The outcome that an operator enters for an action whose outcome is unknown, and when that is allowed.

An action that ended as `unknown` keeps that outcome, because nothing follows a final state. The operator's
outcome is stored beside it, once, and analytics count it. An action whose answer was lost and which is still
being looked up can be resolved too; its lookups end.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from missedd.core.model import Kind, Outcome, State

RESOLVABLE_OUTCOMES: Final[dict[Kind, tuple[Outcome, ...]]] = {
    Kind.CALLBACK: (Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED),
    Kind.SMS: (Outcome.DELIVERED, Outcome.FAILED),
}
"""The outcomes that an operator may enter, by kind. A webhook is sent until it is delivered or needs an
operator, so it is never unknown."""

RESOLUTION_OUTCOMES: Final = tuple(
    dict.fromkeys(outcome for each in RESOLVABLE_OUTCOMES.values() for outcome in each)
)


class Resolution(StrEnum):
    """The result of an operator's request to resolve an action."""

    SETTLED = "settled"
    UNCHANGED = "unchanged"
    """The same outcome was entered before."""
    NO_SUCH_ACTION = "no-such-action"
    NOT_UNKNOWN = "not-unknown"
    """Its outcome is known, or may still become known without an operator."""
    SETTLED_OTHERWISE = "settled-otherwise"
    WRONG_OUTCOME = "wrong-outcome"
    """An action of this kind cannot end like that."""


def check_resolution(
    kind: Kind,
    state: State,
    outcome: Outcome | None,
    recorded: Outcome | None,
    wanted: Outcome,
    *,
    is_lost: bool,
) -> Resolution:
    """Whether an operator may enter the outcome `wanted`.

    `recorded` is the outcome that an operator entered before, if any. `is_lost` says that the answer to the
    request never came.
    """
    if outcome is not Outcome.UNKNOWN and not (state is State.ATTEMPTING and is_lost):
        return Resolution.NOT_UNKNOWN
    if wanted not in RESOLVABLE_OUTCOMES.get(kind, ()):
        return Resolution.WRONG_OUTCOME
    if recorded is None:
        return Resolution.SETTLED
    return Resolution.UNCHANGED if recorded is wanted else Resolution.SETTLED_OTHERWISE
