"""Temporary trouble that may need a person: a provider that cannot be reached, an application that fails.

A trouble is identified by its kind and its subject. It begins with the first sign, is counted while it lasts,
and is forgotten when it ends: the actions that it held or delayed are stored elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TroubleKind(StrEnum):
    """The kind of trouble; metrics, alerts and logs use this name."""

    PROVIDER_UNREACHABLE = "provider-unreachable"
    PROVIDER_REFUSES = "provider-refuses"
    WEBHOOK_FAILING = "webhook-failing"
    EXPIRING = "expiring"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble that is not over.

    `subject` is what is in trouble: a lane, the URL of an endpoint without its secrets, a campaign. `since`
    is in UTC. `tries` counts the signs. `cause` and `remedy` are for people, each one sentence without its
    full stop.
    """

    kind: TroubleKind
    subject: str
    since: datetime
    tries: int
    cause: str
    remedy: str
