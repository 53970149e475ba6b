"""How each kind of action can end, for code that must know all possibilities in advance.

Prometheus sees an increase only between two samples of one series. So the metrics create a series for each of
these from the start. A new way for an action to end must be added here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from missedd.core.actions.resolution import RESOLVABLE_OUTCOMES
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import Reason

OPEN_STATES: Final = (State.PLANNED, State.HELD, State.ATTEMPTING, State.PLACED)

POSSIBLE_OUTCOMES: Final[Mapping[Kind, tuple[Outcome, ...]]] = {
    Kind.WEBHOOK: (Outcome.DELIVERED, Outcome.FAILED, Outcome.DROPPED),
    Kind.SMS: (
        *RESOLVABLE_OUTCOMES[Kind.SMS],
        Outcome.HANDED_OVER,
        Outcome.REFUSED,
        Outcome.EXPIRED,
        Outcome.DROPPED,
        Outcome.CANCELLED,
        Outcome.UNKNOWN,
    ),
    Kind.CALLBACK: (
        *RESOLVABLE_OUTCOMES[Kind.CALLBACK],
        Outcome.REFUSED,
        Outcome.EXPIRED,
        Outcome.DROPPED,
        Outcome.CANCELLED,
        Outcome.UNKNOWN,
    ),
}
"""How the kinds that are sent can end."""

CLOSED_AT_ADMISSION: Final[Mapping[str, tuple[Kind, Outcome]]] = {
    f"{kind}:{outcome}": (kind, outcome)
    for kind in (Kind.SMS, Kind.CALLBACK)
    for outcome in (Outcome.EXPIRED, Outcome.DROPPED, Outcome.CANCELLED)
}
"""How actions can end while they are planned with their call, by the log's `kind:outcome`."""

REQUEST_RESULTS: Final = ("accepted", "refused", "unknown")
"""The results of one request."""

_PROVIDER_FAILURES: Final = (
    Reason.CONNECTION_FAILED,
    Reason.RATE_LIMITED,
    Reason.PROVIDER_REFUSED,
    Reason.PROVIDER_AUTH,
    Reason.DO_NOT_DISTURB,
    Reason.ACCOUNT_PROBLEM,
    Reason.REPLY_LOST,
    Reason.GIVEN_BACK,
)
REQUEST_FAILURES: Final[Mapping[Kind, tuple[Reason, ...]]] = {
    Kind.WEBHOOK: (
        Reason.ENDPOINT_REFUSED,
        Reason.ENDPOINT_FAILED,
        Reason.RETRIES_EXHAUSTED,
        Reason.GIVEN_BACK,
    ),
    Kind.SMS: _PROVIDER_FAILURES,
    Kind.CALLBACK: (*_PROVIDER_FAILURES, Reason.CHANNELS_BUSY),
}
"""Why a request was refused, or its answer was lost."""
