"""The text of an SMS, rendered from what is known at the moment of sending.

The rendered text is checked against its registered DLT template, as the operators drop an SMS that differs.
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
    """The text of an SMS and its policy; a text that does not match its template must not be sent."""

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
    """Render the SMS of a campaign to a caller; None if the campaign no longer sends one."""
    campaign = policy.campaign(campaign_name)
    sms = sms_policy(campaign, plan) if campaign else None
    if campaign is None or sms is None:
        return None
    votes = await _votes(db, campaign) if BodyField.LEADERBOARD in fields_in(sms.body) else {}
    text = render_body(sms, campaign, policy, RenderContext(caller, called_at, now, votes))
    is_registered = sms.dlt_template is None or matches_template(literal_tokens(text), sms.dlt_template)
    return RenderedSms(text, sms, is_registered)


async def _votes(db: Database, campaign: Campaign) -> dict[str, int]:
    """The counted votes of the campaign's poll, by option."""
    poll = campaign.vote.poll if campaign.vote else ""
    rows = await db.fetch_all(
        "SELECT option, sum(votes) FROM tallies WHERE poll = ? GROUP BY option ORDER BY option", (poll,)
    )
    return {str(option): int(votes) for option, votes in rows}
