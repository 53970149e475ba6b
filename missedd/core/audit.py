"""What people do by hand, and who: the words of the audit record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Through what a person acted."""

    API = "api"
    CLI = "cli"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, as far as is known: through what, and from which address."""

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
