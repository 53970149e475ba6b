"""Reads one `[[campaign]]` or `[[poll]]`: what its callers are owed.

Defaults live here and nowhere else. What several campaigns must agree on is checked by
`missedd.config.loader`, which sees them all.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from missedd.config.callback import read_callback
from missedd.config.contact import read_contact, read_countries
from missedd.config.hours import read_business_hours
from missedd.config.key_locations import LONGEST_NAME
from missedd.config.network import read_url
from missedd.config.sms import Sayable, read_sms
from missedd.config.table import Table
from missedd.config.values import shown
from missedd.core.contact_countries import Countries
from missedd.core.policy import (
    AfterHoursCallback,
    AfterHoursPolicy,
    Campaign,
    PollPolicy,
    SmsPolicy,
    SubscribePolicy,
    UnsubscribePolicy,
    VerifyPolicy,
    VotePolicy,
    WebhookFormat,
    WebhookPolicy,
)

DEDUP_WINDOW = timedelta(minutes=5)
VERIFY_TTL = timedelta(minutes=5)
VERIFICATIONS_PER_HOUR = 5


class _Keep(StrEnum):
    FIRST = "first"
    LAST = "last"


def read_campaign(
    table: Table,
    exophones: tuple[str, ...],
    timezone: str,
    countries: Countries = None,
    of_all: Collection[str] = (),
) -> Campaign:
    """The campaign that owns `exophones`; the caller reads these, to compare them with the others'.

    `countries` are those that the account contacts, `of_all` the ExoPhones of the whole configuration.
    """
    vote_table = table.table("vote")
    vote = None if vote_table is None else _vote(vote_table)
    hours_table = table.table("hours")
    sayable = Sayable(vote.option if vote else None, hours_table is not None)
    sms = read_sms(table.table("sms"), None, sayable)
    lead = table.table("lead")
    webhook = table.table("webhook")
    subscribe = table.table("subscribe")
    unsubscribe = table.table("unsubscribe")
    verify = table.table("verify")
    dedup_window = table.duration("dedup_window", positive=False)
    return Campaign(
        name=table.text("name", required=True, longest=LONGEST_NAME) or "",
        exophones=exophones,
        dedup_window=DEDUP_WINDOW if dedup_window is None else dedup_window,
        callback=read_callback(table.table("callback"), timezone, of_all),
        sms=sms,
        lead_source=None if lead is None else lead.text("source") or "missed_call",
        webhook=None if webhook is None else _webhook(webhook),
        hours=None if hours_table is None else read_business_hours(hours_table, timezone),
        after_hours=_after_hours(table, sms, sayable),
        vote=vote,
        subscribe=None if subscribe is None else _subscribe(subscribe),
        unsubscribe=None if unsubscribe is None else _unsubscribe(unsubscribe),
        verify=None if verify is None else _verify(verify),
        countries=read_contact(table.table("contact"), countries),
    )


def _webhook(table: Table) -> WebhookPolicy:
    url = read_url(table, "url", required=True) or ""
    return WebhookPolicy(url, table.choice("format", WebhookFormat) or WebhookFormat.JSON)


def _after_hours(campaign: Table, sms: SmsPolicy | None, sayable: Sayable) -> AfterHoursPolicy:
    table = campaign.table("after_hours")
    if table is None:
        return AfterHoursPolicy(AfterHoursCallback.DEFER, None)
    if not campaign.has("hours"):
        campaign.problem("after_hours", "needs [campaign.hours]: without it the campaign is always open")
    callback = table.choice("callback", AfterHoursCallback) or AfterHoursCallback.DEFER
    return AfterHoursPolicy(callback, read_sms(table.table("sms"), sms, sayable, after_hours=True))


def _vote(table: Table) -> VotePolicy:
    return VotePolicy(table.text("poll", required=True) or "", table.text("option", required=True) or "")


def _subscribe(table: Table) -> SubscribePolicy:
    name = _list_name(table)
    purpose = table.text("purpose", longest=500)
    return SubscribePolicy(name, purpose or name, says_purpose=purpose is not None)


def _unsubscribe(table: Table) -> UnsubscribePolicy:
    suppress, suppress_for = table.flag("suppress", default=False), table.duration("suppress_for")
    if table.has("suppress_for") and not suppress:
        table.problem("suppress_for", "needs suppress = true beside it")
    return UnsubscribePolicy(_list_name(table), suppress, suppress_for)


def _verify(table: Table) -> VerifyPolicy:
    ttl, most = table.duration("ttl"), table.integer("max_per_hour")
    return VerifyPolicy(ttl or VERIFY_TTL, most or VERIFICATIONS_PER_HOUR)


def _list_name(table: Table) -> str:
    name = table.text("list", required=True) or ""
    if "/" in name:
        table.problem("list", f"must not have a slash, as it is part of the API's addresses: {shown(name)}")
    return name


def read_poll(table: Table, timezone: str) -> PollPolicy:
    opens_at, closes_at = _instant(table, "opens_at", timezone), _instant(table, "closes_at", timezone)
    if opens_at is not None and closes_at is not None and closes_at <= opens_at:
        table.problem("closes_at", "must be after opens_at")
    name = table.text("name", required=True, longest=LONGEST_NAME) or ""
    if "/" in name:
        table.problem("name", f"must not hold a slash, as it is part of an address: {shown(name)}")
    return PollPolicy(
        name=name,
        votes_per_number=table.integer("votes_per_number") or 1,
        keep=(table.choice("keep", _Keep) or _Keep.FIRST).value,
        opens_at=opens_at,
        closes_at=closes_at,
        countries=read_countries(table),
    )


def _instant(table: Table, key: str, timezone: str) -> datetime | None:
    """A date and time as an instant in UTC; one without an offset is local time."""
    value = table.value(key)
    if value is None:
        return None
    if not isinstance(value, datetime):
        table.problem(key, f"must be a date and time such as 2026-11-23T20:00:00+05:30, not {shown(value)}")
        return None
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
