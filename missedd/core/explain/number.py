"""What is known about a number itself, in plain words: its suppressions and its lists.

The facts are those that the API shows; nothing is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from missedd.core.api_types.consents import SubscriptionJson
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.core.people.suppression import Channel, RefusedSmsClass
from missedd.core.phone import PREFIX_WILDCARD

_SOURCE_WORDS = {
    "api": "through the API",
    "cli": "on the command line",
    "console": "on the console",
    "provider": "by the provider's refusal",
    "opt-out": "by the number's own opt-out",
    "missed-call": "by missed call",
}


def explain_number(
    suppressions: Sequence[SuppressionJson],
    subscriptions: Sequence[SubscriptionJson],
    now: datetime,
    timezone: str,
) -> str:
    """Explain which suppressions of a number are in force at `now`, and which lists it has joined or left.

    The rows are as the API shows them. Times are printed in `timezone`. The text is empty if there is nothing
    to say.
    """
    zone = ZoneInfo(timezone)
    in_force = [each for each in suppressions if each.until is None or _parse_instant(each.until) > now]
    return "\n".join([*_suppression_lines(in_force, zone), *_consent_lines(subscriptions, zone)])


def describe_suppression(suppression: SuppressionJson) -> str:
    """What one suppression forbids, in words; `suppression` is as the API shows it."""
    match suppression.channel, suppression.class_:
        case Channel.CALLS, _:
            return "No calls to this number until it calls again"
        case Channel.SMS, RefusedSmsClass.PROMOTIONAL:
            return "No promotional SMS to this number"
        case Channel.SMS, RefusedSmsClass.SENDER:
            return f"No SMS from {suppression.sender} to this number"
        case Channel.SMS, RefusedSmsClass.TAKES_NO_SMS:
            return "This number cannot receive SMS, so none is sent"
        case Channel.SMS, _:
            return "No SMS to this number"
    return "This number is not contacted"


def _suppression_lines(suppressions: Sequence[SuppressionJson], zone: ZoneInfo) -> Iterator[str]:
    for suppression in suppressions:
        number, until_at, call_sid = suppression.number, suppression.until, suppression.call_sid
        by_prefix = f" (by the prefix {number})" if number.endswith(PREFIX_WILDCARD) else ""
        until = f" until {format_local_time(until_at, zone)}" if until_at else ""
        call = f", call {call_sid}" if call_sid else ""
        yield (
            f"{describe_suppression(suppression)}{until}{by_prefix}: suppressed "
            f"{_SOURCE_WORDS.get(suppression.source, suppression.source)} "
            f"at {format_local_time(suppression.since, zone)} ({suppression.reason}{call})."
        )


def _consent_lines(subscriptions: Sequence[SubscriptionJson], zone: ZoneInfo) -> Iterator[str]:
    for consent in subscriptions:
        end = "."
        if consent.withdrawn_at and consent.withdrawn_by:
            call = f", call {consent.withdrawal_call_sid}" if consent.withdrawal_call_sid else ""
            how = _SOURCE_WORDS.get(consent.withdrawn_by, consent.withdrawn_by)
            end = f"; it left at {format_local_time(consent.withdrawn_at, zone)} {how}{call}."
        yield (
            f"It joined the list {consent.list} for {consent.purpose} at "
            f"{format_local_time(consent.consented_at, zone)}, call {consent.call_sid}{end}"
        )


def format_local_time(instant: str, zone: ZoneInfo) -> str:
    """An RFC 3339 time in the zone of the reader: `2026-11-23 12:00:30 IST`."""
    return _parse_instant(instant).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _parse_instant(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)
