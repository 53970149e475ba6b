"""What a configuration may say but hardly means: a sentence for each oddity, which begins with its key."""

from __future__ import annotations

from collections.abc import Iterator

from missedd.config.callback import callback_warnings
from missedd.config.contact import contact_warnings
from missedd.config.recommended_values import recommendation_warnings
from missedd.config.sms import sms_warnings
from missedd.config.values import IMPLAUSIBLE_NUMBER
from missedd.core.phone import is_plausible
from missedd.core.policy import Campaign, PollPolicy, quoted


def config_warnings(campaigns: tuple[Campaign, ...], polls: tuple[PollPolicy, ...]) -> Iterator[str]:
    """Of each campaign by itself, and of what they say together."""
    if not campaigns:
        yield "campaign: there is none, so no call leads to anything"
    for campaign in campaigns:
        yield from _campaign_warnings(campaign)
    yield from _caller_id_warnings(campaigns)
    voted = {each.vote.poll for each in campaigns if each.vote}
    for poll in polls:
        if poll.name not in voted:
            yield f"poll {quoted(poll.name)}: no campaign votes in it"
    joined = {each.subscribe.list for each in campaigns if each.subscribe}
    for campaign in campaigns:
        if campaign.unsubscribe and campaign.unsubscribe.list not in joined:
            yield f"{campaign.label}: unsubscribe.list: no campaign subscribes anybody to it"


def _campaign_warnings(campaign: Campaign) -> Iterator[str]:
    owed = (campaign.callback, campaign.sms, campaign.lead_source, campaign.webhook, campaign.vote)
    more = (campaign.subscribe, campaign.unsubscribe, campaign.verify, campaign.after_hours.sms)
    if not any(owed + more):
        yield f"{campaign.label}: has no actions: its calls are counted, and nothing is done for the callers"
    for i, number in enumerate(campaign.exophones):
        if not is_plausible(number):
            yield f"{campaign.label}: exophones[{i}]: {IMPLAUSIBLE_NUMBER}"
    yield from contact_warnings(campaign)
    yield from sms_warnings(campaign)
    if campaign.subscribe and not campaign.subscribe.has_own_purpose:
        yield f"{campaign.label}: subscribe.purpose: is not said, so each consent is kept without one"
    if campaign.unsubscribe and campaign.subscribe and campaign.unsubscribe.list == campaign.subscribe.list:
        yield f"{campaign.label}: each call subscribes to {campaign.subscribe.list!r} and leaves it again"
    if campaign.opts_callers_out and campaign.callback:
        yield f"{campaign.label}: callback: is never made, as unsubscribe.suppress bars whoever calls"
    yield from callback_warnings(campaign)
    yield from recommendation_warnings(campaign)


def _caller_id_warnings(campaigns: tuple[Campaign, ...]) -> Iterator[str]:
    owner_of = {number: each for each in reversed(campaigns) for number in each.exophones}
    for campaign in campaigns:
        shown = campaign.callback.caller_id if campaign.callback else None
        owner = owner_of.get(shown or "")
        if shown is not None and not is_plausible(shown):
            yield f"{campaign.label}: callback.caller_id: {IMPLAUSIBLE_NUMBER}"
        if owner is not None and owner.name != campaign.name:
            yield (
                f"{campaign.label}: callback.caller_id: is an ExoPhone of {owner.label}: who "
                "rings it is that "
                f"campaign's, except for those whom this one rang from it last"
            )
