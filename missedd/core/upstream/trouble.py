"""What goes wrong for now and may need a person: a provider that is out of reach, an application that fails.

A trouble is known by its kind and its subject. It begins with the first sign of it, is counted while
it goes on, and is forgotten when it ends: what it held or delayed is kept elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TroubleKind(StrEnum):
    """What sort of trouble it is; the name stands in metrics, alerts and logs."""

    PROVIDER_UNREACHABLE = "provider-unreachable"
    PROVIDER_REFUSES = "provider-refuses"
    WEBHOOK_FAILING = "webhook-failing"
    EXPIRING = "expiring"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble that goes on.

    `subject` is what is in trouble: a lane, an endpoint's URL without its secrets, a campaign. `since` is in
    UTC. `tries` counts the signs of it. `cause` and `remedy` are for people, each one sentence without
    its full stop.
    """

    kind: TroubleKind
    subject: str
    since: datetime
    tries: int
    cause: str
    remedy: str
