"""Manual actions and who did them: the vocabulary of the audit record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """The interface that a person used."""

    API = "api"
    CLI = "cli"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, as far as that is known: the interface, and the network address (None if unknown)."""

    source: Source
    peer: str | None = None


class AuditAction(StrEnum):
    """Everything that an operator can do, as `noun.past_verb`."""

    NUMBER_SUPPRESSED = "number.suppressed"
    NUMBER_RELEASED = "number.released"
    NUMBER_UNSUBSCRIBED = "number.unsubscribed"
    NUMBER_ERASED = "number.erased"
    LEAD_MARKED = "lead.marked"
    CONVERSIONS_RECORDED = "conversions.recorded"
    WEBHOOK_RESENT = "webhook.resent"
    ACTION_SETTLED = "action.settled"
    QUARANTINE_ENDED = "quarantine.ended"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
