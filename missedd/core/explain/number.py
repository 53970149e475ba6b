"""How a number itself stands, in plain words: what bars it, and which lists it is on or has left.

Like a call's story it is told from what the API shows, and adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from missedd.core.people.suppression import Channel, RefusedSmsClass
from missedd.core.phone import PREFIX_WILDCARD

_SOURCE_WORDS = {
    "api": "through the API",
    "cli": "on the command line",
    "console": "on the console",
    "provider": "by the provider's refusal",
    "opt-out": "by the number's own wish",
    "missed-call": "by missed call",
}


def explain_number(
    suppressions: Sequence[Mapping[str, Any]],
    subscriptions: Sequence[Mapping[str, Any]],
    now: datetime,
    timezone: str,
) -> str:
    """Tell what stands against a number at `now` and what it consented to; empty if there is nothing."""
    zone = ZoneInfo(timezone)
    in_force = [each for each in suppressions if each["until"] is None or _parse_instant(each["until"]) > now]
    return "\n".join([*_suppression_lines(in_force, zone), *_consent_lines(subscriptions, zone)])


def describe_suppression(suppression: Mapping[str, Any]) -> str:
    """What one suppression bars, in words, as the API shows it."""
    match suppression["channel"], suppression["class"]:
        case Channel.CALLS, _:
            return "Nobody calls it before it rings again"
        case Channel.SMS, RefusedSmsClass.PROMOTIONAL:
            return "No promotional SMS is sent to it"
        case Channel.SMS, RefusedSmsClass.SENDER:
            return f"No SMS of {suppression['sender']} is sent to it"
        case Channel.SMS, RefusedSmsClass.TAKES_NO_SMS:
            return "It takes no SMS, so none is sent to it"
        case Channel.SMS, _:
            return "No SMS is sent to it"
    return "Nobody contacts it"


def _suppression_lines(suppressions: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    for each in suppressions:
        by_prefix = f", as {each['number']}" if each["number"].endswith(PREFIX_WILDCARD) else ""
        until = f" until {format_local_time(each['until'], zone)}" if each["until"] else ""
        call = f", call {each['call_sid']}" if each["call_sid"] else ""
        yield (
            f"{describe_suppression(each)}{until}{by_prefix}: suppressed "
            f"{_SOURCE_WORDS.get(each['source'], each['source'])} "
            f"at {format_local_time(each['since'], zone)} ({each['reason']}{call})."
        )


def _consent_lines(subscriptions: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    for each in subscriptions:
        end = "."
        if each["withdrawn_at"]:
            call = f", call {each['withdrawal_call_sid']}" if each["withdrawal_call_sid"] else ""
            how = _SOURCE_WORDS.get(each["withdrawn_by"], each["withdrawn_by"])
            end = f"; it left at {format_local_time(each['withdrawn_at'], zone)} {how}{call}."
        yield (
            f"It joined the list {each['list']} for {each['purpose']} at "
            f"{format_local_time(each['consented_at'], zone)}, call {each['call_sid']}{end}"
        )


def format_local_time(instant: str, zone: ZoneInfo) -> str:
    """An RFC 3339 instant as a person in `zone` reads it."""
    return _parse_instant(instant).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _parse_instant(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(UTC)
