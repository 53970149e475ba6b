"""The text that an SMS owes its caller, written from what is known at this instant.

It is held against its registered template once more: what is written is what would be dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missedd.core.admission.gates import sms_policy
from missedd.core.model import Plan
from missedd.core.policy import Campaign, Policy, SmsPolicy
from missedd.core.sms.dlt import characters, matches
from missedd.core.sms.template import Name, Occasion, names_in, write
from missedd.store.db.database import Database


@dataclass(frozen=True, slots=True)
class Written:
    """A text, and the policy that asks for it; one that does not match its template must not be sent."""

    text: str
    sms: SmsPolicy
    matches: bool


async def write_text(
    db: Database, policy: Policy, name: str, plan: Plan, caller: str, called_at: datetime, now: datetime
) -> Written | None:
    """What a campaign texts a caller; None if it no longer does."""
    campaign = policy.campaign(name)
    sms = sms_policy(campaign, plan) if campaign else None
    if campaign is None or sms is None:
        return None
    votes = await _votes(db, campaign) if Name.STANDING in names_in(sms.body) else {}
    text = write(sms, campaign, policy, Occasion(caller, called_at, now, votes))
    is_registered = sms.dlt_template is None or matches(characters(text), sms.dlt_template)
    return Written(text, sms, is_registered)


async def _votes(db: Database, campaign: Campaign) -> dict[str, int]:
    """The votes of the campaign's poll that count, by option."""
    poll = campaign.vote.poll if campaign.vote else ""
    rows = await db.fetch_all("SELECT option, votes FROM tallies WHERE poll = ?", (poll,))
    return {str(option): int(votes) for option, votes in rows}
