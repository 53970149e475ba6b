"""Warnings about values that are valid but probably not intended: one sentence each, which begins with its
key."""

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
    """The warnings about each campaign, and about campaigns and polls together."""
    if not campaigns:
        yield "campaign: there is no campaign, so calls lead to nothing"
    for campaign in campaigns:
        yield from _campaign_warnings(campaign)
    yield from _caller_id_warnings(campaigns)
    voted = {each.vote.poll for each in campaigns if each.vote}
    for poll in polls:
        if poll.name not in voted:
            yield f"poll {quoted(poll.name)}: no campaign has votes for it"
    joined = {each.subscribe.list for each in campaigns if each.subscribe}
    for campaign in campaigns:
        if campaign.unsubscribe and campaign.unsubscribe.list not in joined:
            yield f"{campaign.label}: unsubscribe.list: no campaign subscribes callers to this list"


def _campaign_warnings(campaign: Campaign) -> Iterator[str]:
    owed = (campaign.callback, campaign.sms, campaign.lead_source, campaign.webhook, campaign.vote)
    more = (campaign.subscribe, campaign.unsubscribe, campaign.verify, campaign.after_hours.sms)
    if not any(owed + more):
        yield f"{campaign.label}: has no actions: calls are counted, but nothing else happens"
    for i, number in enumerate(campaign.exophones):
        if not is_plausible(number):
            yield f"{campaign.label}: exophones[{i}]: {IMPLAUSIBLE_NUMBER}"
    yield from contact_warnings(campaign)
    yield from sms_warnings(campaign)
    if campaign.subscribe and not campaign.subscribe.has_own_purpose:
        yield f"{campaign.label}: subscribe.purpose: is missing, so each consent is stored without a purpose"
    if campaign.unsubscribe and campaign.subscribe and campaign.unsubscribe.list == campaign.subscribe.list:
        yield f"{campaign.label}: each call joins the list {campaign.subscribe.list!r} and leaves it again"
    if campaign.opts_callers_out and campaign.callback:
        yield f"{campaign.label}: callback: is never made, since unsubscribe.suppress suppresses every caller"
    yield from callback_warnings(campaign)
    yield from recommendation_warnings(campaign)


def _caller_id_warnings(campaigns: tuple[Campaign, ...]) -> Iterator[str]:
    owner_of = {number: each for each in reversed(campaigns) for number in each.exophones}
    for campaign in campaigns:
        caller_id = campaign.callback.caller_id if campaign.callback else None
        owner = owner_of.get(caller_id or "")
        if caller_id is not None and not is_plausible(caller_id):
            yield f"{campaign.label}: callback.caller_id: {IMPLAUSIBLE_NUMBER}"
        if owner is not None and owner.name != campaign.name:
            yield (
                f"{campaign.label}: callback.caller_id: is an ExoPhone of {owner.label}; calls to it "
                "belong to "
                "that campaign, except calls from people whom this campaign called last from this number"
            )
