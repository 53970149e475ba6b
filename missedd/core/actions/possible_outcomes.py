"""What can become of each kind of action: for whoever must know it before it happens.

Prometheus sees an increase only between two samples of one series, so the metrics have a series for
each of these from the start. Whoever lets an action end in a new way adds it here.
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
"""How those that are sent can end."""

CLOSED_AT_ADMISSION: Final[Mapping[str, tuple[Kind, Outcome]]] = {
    f"{kind}:{outcome}": (kind, outcome)
    for kind in (Kind.SMS, Kind.CALLBACK)
    for outcome in (Outcome.EXPIRED, Outcome.DROPPED, Outcome.CANCELLED)
}
"""How they can end as they are planned, with their call; by the words in which the log tells it."""

REQUEST_RESULTS: Final = ("accepted", "refused", "unknown")
"""Of one request."""

_PROVIDER_FAILURES: Final = (
    Reason.CONNECTION_FAILED,
    Reason.RATE_LIMITED,
    Reason.PROVIDER_REFUSED,
    Reason.PROVIDER_AUTH,
    Reason.DO_NOT_DISTURB,
    Reason.ACCOUNT_PROBLEM,
    Reason.REPLY_LOST,
)
REQUEST_FAILURES: Final[Mapping[Kind, tuple[Reason, ...]]] = {
    Kind.WEBHOOK: (Reason.ENDPOINT_REFUSED, Reason.ENDPOINT_FAILED, Reason.RETRIES_EXHAUSTED),
    Kind.SMS: _PROVIDER_FAILURES,
    Kind.CALLBACK: (*_PROVIDER_FAILURES, Reason.CHANNELS_BUSY),
}
"""Why a request was refused, or its answer lost."""
