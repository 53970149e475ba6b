"""What a configuration may say but hardly means: a sentence for each oddity, which begins with its key."""

from __future__ import annotations

from collections.abc import Iterator

from missedd.config.callback import callback_warnings
from missedd.config.contact import contact_warnings
from missedd.config.recommended_values import advice
from missedd.config.sms import sms_warnings
from missedd.config.values import NOT_CREDIBLE
from missedd.core.phone import is_credible
from missedd.core.policy import Campaign, PollPolicy, in_quotes


def warnings_of(campaigns: tuple[Campaign, ...], polls: tuple[PollPolicy, ...]) -> Iterator[str]:
    """Of each campaign by itself, and of what they say together."""
    if not campaigns:
        yield "campaign: there is none, so no call leads to anything"
    for campaign in campaigns:
        yield from _of_campaign(campaign)
    yield from _of_caller_ids(campaigns)
    voted = {each.vote.poll for each in campaigns if each.vote}
    for poll in polls:
        if poll.name not in voted:
            yield f"poll {in_quotes(poll.name)}: no campaign votes in it"
    joined = {each.subscribe.list for each in campaigns if each.subscribe}
    for campaign in campaigns:
        if campaign.unsubscribe and campaign.unsubscribe.list not in joined:
            yield f"{campaign.key}: unsubscribe.list: no campaign subscribes anybody to it"


def _of_campaign(campaign: Campaign) -> Iterator[str]:
    owed = (campaign.callback, campaign.sms, campaign.lead_source, campaign.webhook, campaign.vote)
    more = (campaign.subscribe, campaign.unsubscribe, campaign.verify, campaign.after_hours.sms)
    if not any(owed + more):
        yield f"{campaign.key}: has no actions: its calls are counted, and nothing is done for the callers"
    for i, number in enumerate(campaign.exophones):
        if not is_credible(number):
            yield f"{campaign.key}: exophones[{i}]: {NOT_CREDIBLE}"
    yield from contact_warnings(campaign)
    yield from sms_warnings(campaign)
    if campaign.subscribe and not campaign.subscribe.says_purpose:
        yield f"{campaign.key}: subscribe.purpose: is not said, so each consent is kept without one"
    if campaign.unsubscribe and campaign.subscribe and campaign.unsubscribe.list == campaign.subscribe.list:
        yield f"{campaign.key}: each call subscribes to {campaign.subscribe.list!r} and leaves it again"
    if campaign.opts_out and campaign.callback:
        yield f"{campaign.key}: callback: is never made, as unsubscribe.suppress bars whoever calls"
    yield from callback_warnings(campaign)
    yield from advice(campaign)


def _of_caller_ids(campaigns: tuple[Campaign, ...]) -> Iterator[str]:
    owner_of = {number: each for each in reversed(campaigns) for number in each.exophones}
    for campaign in campaigns:
        shown = campaign.callback.caller_id if campaign.callback else None
        owner = owner_of.get(shown or "")
        if shown is not None and not is_credible(shown):
            yield f"{campaign.key}: callback.caller_id: {NOT_CREDIBLE}"
        if owner is not None and owner.name != campaign.name:
            yield (
                f"{campaign.key}: callback.caller_id: is an ExoPhone of {owner.key}: who rings it is that "
                f"campaign's, except for those whom this one rang from it last"
            )
