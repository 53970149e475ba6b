"""The text that an SMS owes its caller, written from what is known at this instant.

It is held against its registered template once more: what is written is what would be dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missedd.core.admission.gates import sms_policy
from missedd.core.model import Plan
from missedd.core.policy import Campaign, Policy, SmsPolicy
from missedd.core.sms.dlt import literal_tokens, matches_template
from missedd.core.sms.template import BodyField, RenderContext, fields_in, render_body
from missedd.store.db.database import Database


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """A text, and the policy that asks for it; one that does not match its template must not be sent."""

    text: str
    policy: SmsPolicy
    matches_template: bool


async def render_sms(
    db: Database,
    policy: Policy,
    campaign_name: str,
    plan: Plan,
    caller: str,
    called_at: datetime,
    now: datetime,
) -> RenderedSms | None:
    """What a campaign texts a caller; None if it no longer does."""
    campaign = policy.campaign(campaign_name)
    sms = sms_policy(campaign, plan) if campaign else None
    if campaign is None or sms is None:
        return None
    votes = await _votes(db, campaign) if BodyField.LEADERBOARD in fields_in(sms.body) else {}
    text = render_body(sms, campaign, policy, RenderContext(caller, called_at, now, votes))
    is_registered = sms.dlt_template is None or matches_template(literal_tokens(text), sms.dlt_template)
    return RenderedSms(text, sms, is_registered)


async def _votes(db: Database, campaign: Campaign) -> dict[str, int]:
    """The votes of the campaign's poll that count, by option."""
    poll = campaign.vote.poll if campaign.vote else ""
    rows = await db.fetch_all("SELECT option, votes FROM tallies WHERE poll = ?", (poll,))
    return {str(option): int(votes) for option, votes in rows}
