"""Reads one `[[campaign]]` or `[[poll]]`: what its callers are owed.

All default values are here. `missedd.config.loader` sees all campaigns and checks them against each other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from missedd.config.callback import read_callback
from missedd.config.contact import read_contact, read_countries
from missedd.config.hours import read_business_hours
from missedd.config.key_locations import MAX_NAME_LENGTH
from missedd.config.sms import AllowedFields, read_sms
from missedd.config.table import ConfigTable
from missedd.config.urls import read_url
from missedd.config.values import toml_repr
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

DEFAULT_DEDUP_WINDOW = timedelta(minutes=5)
DEFAULT_VERIFY_TTL = timedelta(minutes=5)
DEFAULT_VERIFICATIONS_PER_HOUR = 5


class _CountedVote(StrEnum):
    FIRST = "first"
    LAST = "last"


def read_campaign(
    table: ConfigTable,
    exophones: tuple[str, ...],
    timezone: str,
    countries: Countries = None,
    all_exophones: Collection[str] = (),
) -> Campaign:
    """The campaign that owns `exophones` (E.164). The loader reads these numbers, to compare them across
    campaigns.

    `countries` are the ones that `[contact]` allows. `all_exophones` are the ExoPhones of the whole
    configuration.
    """
    vote_table = table.table("vote")
    vote = None if vote_table is None else _vote(vote_table)
    hours_table = table.table("hours")
    allowed = AllowedFields(vote.option if vote else None, hours_table is not None)
    sms = read_sms(table.table("sms"), None, allowed)
    lead = table.table("lead")
    webhook = table.table("webhook")
    subscribe = table.table("subscribe")
    unsubscribe = table.table("unsubscribe")
    verify = table.table("verify")
    dedup_window = table.duration("dedup_window", positive=False)
    return Campaign(
        name=table.text("name", required=True, max_length=MAX_NAME_LENGTH) or "",
        exophones=exophones,
        dedup_window=DEFAULT_DEDUP_WINDOW if dedup_window is None else dedup_window,
        callback=read_callback(table.table("callback"), timezone, all_exophones),
        sms=sms,
        lead_source=None if lead is None else lead.text("source") or "missed_call",
        webhook=None if webhook is None else _webhook(webhook),
        hours=None if hours_table is None else read_business_hours(hours_table, timezone),
        after_hours=_after_hours(table, sms, allowed),
        vote=vote,
        subscribe=None if subscribe is None else _subscribe(subscribe),
        unsubscribe=None if unsubscribe is None else _unsubscribe(unsubscribe),
        verify=None if verify is None else _verify(verify),
        countries=read_contact(table.table("contact"), countries),
    )


def _webhook(table: ConfigTable) -> WebhookPolicy:
    url = read_url(table, "url", required=True) or ""
    return WebhookPolicy(url, table.choice("format", WebhookFormat) or WebhookFormat.JSON)


def _after_hours(campaign: ConfigTable, sms: SmsPolicy | None, allowed: AllowedFields) -> AfterHoursPolicy:
    table = campaign.table("after_hours")
    if table is None:
        return AfterHoursPolicy(AfterHoursCallback.DEFER, None)
    if not campaign.has("hours"):
        campaign.problem("after_hours", "needs [campaign.hours]: without it the campaign is always open")
    callback = table.choice("callback", AfterHoursCallback) or AfterHoursCallback.DEFER
    return AfterHoursPolicy(callback, read_sms(table.table("sms"), sms, allowed, after_hours=True))


def _vote(table: ConfigTable) -> VotePolicy:
    return VotePolicy(table.text("poll", required=True) or "", table.text("option", required=True) or "")


def _subscribe(table: ConfigTable) -> SubscribePolicy:
    name = _list_name(table)
    purpose = table.text("purpose", max_length=500)
    return SubscribePolicy(name, purpose or name, has_own_purpose=purpose is not None)


def _unsubscribe(table: ConfigTable) -> UnsubscribePolicy:
    suppress, suppress_for = table.boolean("suppress", default=False), table.duration("suppress_for")
    if table.has("suppress_for") and not suppress:
        table.problem("suppress_for", "needs suppress = true beside it")
    return UnsubscribePolicy(_list_name(table), suppress, suppress_for)


def _verify(table: ConfigTable) -> VerifyPolicy:
    ttl, most = table.duration("ttl"), table.integer("max_per_hour")
    return VerifyPolicy(ttl or DEFAULT_VERIFY_TTL, most or DEFAULT_VERIFICATIONS_PER_HOUR)


def _list_name(table: ConfigTable) -> str:
    name = table.text("list", required=True) or ""
    if "/" in name:
        table.problem(
            "list", f"must not contain a slash, because it is part of the API's URLs: {toml_repr(name)}"
        )
    return name


def read_poll(table: ConfigTable, timezone: str) -> PollPolicy:
    opens_at, closes_at = _instant(table, "opens_at", timezone), _instant(table, "closes_at", timezone)
    if opens_at is not None and closes_at is not None and closes_at <= opens_at:
        table.problem("closes_at", "must be after opens_at")
    name = table.text("name", required=True, max_length=MAX_NAME_LENGTH) or ""
    if "/" in name:
        table.problem(
            "name", f"must not contain a slash, because it is part of the API's URLs: {toml_repr(name)}"
        )
    return PollPolicy(
        name=name,
        votes_per_number=table.integer("votes_per_number") or 1,
        keep=(table.choice("keep", _CountedVote) or _CountedVote.FIRST).value,
        opens_at=opens_at,
        closes_at=closes_at,
        countries=read_countries(table),
    )


def _instant(table: ConfigTable, key: str, timezone: str) -> datetime | None:
    """A date and time in UTC; a value without an offset is local time."""
    value = table.value(key)
    if value is None:
        return None
    if not isinstance(value, datetime):
        table.problem(
            key, f"must be a date and time such as 2026-11-23T20:00:00+05:30, not {toml_repr(value)}"
        )
        return None
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
