"""The configuration in words: when each campaign is open, what it does, and what it does not do.

admissions (+918047120001)
  open: mon-fri 09:30-18:30, sat 10:00-14:00, Asia/Kolkata time; closed on the holidays of IN-KA
  repeat calls: no second callback, SMS or webhook within 5m of a call that was served
  calls back: 30s after the call, into flow 12345, ringing the customer for 30s; at most 2 an hour; …
  when closed: callbacks wait for the next opening; sends the SMS "We are closed now." …
  does not: send SMS, send webhooks, count votes, subscribe callers, verify numbers
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from missedd.base.url_redaction import redact_url
from missedd.config.hours import format_window
from missedd.config.values import format_duration
from missedd.core.business_hours import BusinessHours
from missedd.core.model import Kind
from missedd.core.policy import AfterHoursCallback, CallbackPolicy, Campaign, Policy, Retries, SmsPolicy

_UNUSED_WORDS: Final = {
    Kind.CALLBACK: "call back (no [campaign.callback])",
    Kind.SMS: "send SMS (no [campaign.sms])",
    Kind.LEAD: "keep leads (no [campaign.lead])",
    Kind.WEBHOOK: "send webhooks (no [campaign.webhook])",
    Kind.VOTE: "count votes",
    Kind.SUBSCRIBE: "subscribe callers",
    Kind.UNSUBSCRIBE: "unsubscribe callers",
    Kind.VERIFY: "verify numbers",
}


def describe_campaigns(policy: Policy) -> Iterator[str]:
    """Some lines for each campaign; the first one has its name and its ExoPhones."""
    for campaign in policy.campaigns:
        yield f"{campaign.name} ({', '.join(campaign.exophones)})"
        yield from (f"  {subject}: {text}" for subject, text in describe_campaign(campaign))


def describe_campaign(campaign: Campaign) -> Iterator[tuple[str, str]]:
    """The summary of a campaign as (subject, text) pairs."""
    yield "open", describe_hours(campaign.hours)
    if campaign.action_kinds:
        yield "repeat calls", _describe_dedup(campaign)
    if campaign.callback is not None:
        yield "calls back", _describe_callback(campaign.callback)
    if campaign.sms is not None:
        yield "sends SMS", _describe_sms(campaign.sms)
    if campaign.lead_source is not None:
        yield "keeps a lead", f"for each caller, source {campaign.lead_source}"
    if campaign.webhook is not None:
        yield (
            "sends a webhook",
            f"to {redact_url(campaign.webhook.url)}, as {campaign.webhook.format}",
        )
    yield from _describe_lists(campaign)
    if campaign.hours is not None:
        yield "when closed", "; ".join(_describe_after_hours(campaign))
    left_out = [words for kind, words in _UNUSED_WORDS.items() if kind not in campaign.action_kinds]
    if left_out:
        yield "does not", ", ".join(left_out)


def describe_hours(hours: BusinessHours | None) -> str:
    if hours is None:
        return "always"
    open_at = f"{', '.join(map(format_window, hours.windows))}, {hours.timezone} time"
    region = hours.holidays.region
    closed = [f"the holidays of {region.replace(',', ', ')}"] if region else []
    if hours.holidays.dates:
        closed.append(", ".join(map(str, sorted(hours.holidays.dates))))
    return f"{open_at}; closed on {' and on '.join(closed)}" if closed else open_at


def _describe_dedup(campaign: Campaign) -> str:
    if not campaign.dedup_window:
        return "every call is served, because dedup_window is 0"
    window = format_duration(campaign.dedup_window)
    return f"no second callback, SMS or webhook within {window} of a call that was served"


def _describe_callback(callback: CallbackPolicy) -> str:
    when = f"{format_duration(callback.delay)} after the call" if callback.delay else "at once"
    if callback.flow is not None:
        target = f"into flow {callback.flow}, ringing the customer"
    else:
        count = len(callback.agents)
        agents = f"{count} agents in turn" if count > 1 else "an agent"
        target = f"with {agents}, ringing the {callback.first} first"
    caller_id = f", from {callback.caller_id}" if callback.caller_id else ""
    return (
        f"{when}, {target} for {format_duration(callback.ring_timeout)}{caller_id}; "
        f"at most {callback.max_per_hour} an hour; {_describe_retries(callback.retries)}; not later than "
        f"{format_duration(callback.give_up_after)} after the call"
    )


def _describe_retries(retries: Retries) -> str:
    lists = {"not answered": retries.no_answer, "busy": retries.busy, "failed": retries.failed}
    described = [
        f"after {', '.join(map(format_duration, waits))} if {how}" for how, waits in lists.items() if waits
    ]
    return f"tried again {' and '.join(described)}" if described else "not tried again"


def _describe_sms(sms: SmsPolicy) -> str:
    return f'"{sms.body}" as {sms.sender}, {sms.message_class}'


def _describe_lists(campaign: Campaign) -> Iterator[tuple[str, str]]:
    if campaign.vote is not None:
        yield "counts a vote", f"for {campaign.vote.option} in the poll {campaign.vote.poll}"
    if campaign.subscribe is not None:
        yield "subscribes callers to", f"{campaign.subscribe.list}, for {campaign.subscribe.purpose}"
    if campaign.unsubscribe is not None:
        suppression = ", and does not contact them any more" if campaign.unsubscribe.suppress else ""
        yield "unsubscribes callers from", f"{campaign.unsubscribe.list}{suppression}"
    if campaign.verify is not None:
        yield "verifies numbers", f"that call within {format_duration(campaign.verify.ttl)}"


def _describe_after_hours(campaign: Campaign) -> Iterator[str]:
    if campaign.callback is not None:
        yield {
            AfterHoursCallback.DEFER: "callbacks wait for the next opening",
            AfterHoursCallback.SKIP: "no callback is made",
            AfterHoursCallback.SAME: "calls back as in business hours",
        }[campaign.after_hours.callback]
    if campaign.after_hours.sms is not None:
        yield f"sends the SMS {_describe_sms(campaign.after_hours.sms)}"
    elif campaign.sms is not None:
        yield "sends the same SMS"
    yield "everything else is as in business hours"
