"""What Exotel's answer to a request means: accepted, surely refused, or unknown.

    200 {"Call": {"Sid": "c5797dcbaaeed7678c4062a4a3ed2f8a", "Status": "in-progress", …}}
    200 {"SMSMessage": {"Sid": "…", "Status": "queued", "DetailedStatusCode": 21010, …}}
    400 {"RestException": {"Status": 400, "Message": "The 'From' parameter is required."}}
    403 {"RestException": {"Status": "403", "Code": 40001, "Message": "Insufficient balance …"}}
    403 <TwilioResponse><RestException><Status>403</Status><Message>Account is not active</Message>…
    401 Unauthorized

The invariant: `Refused` only where the request surely had no effect. Exotel knows no idempotency
key, so whatever may have rung somebody is `Unknown` and is looked up. The HTTP status decides;
code and message only tell refusals of one status apart, and never turn one into an acceptance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.exotel.response_body import ResponseBody, parse_body


class Api(StrEnum):
    """Exotel's two APIs: one status does not mean the same in both."""

    VOICE = "voice"
    SMS = "sms"


@dataclass(frozen=True, slots=True)
class ResponseRule:
    """One row: an HTTP status, then (if given) the body's code and a mark in its message.

    A row of both code and mark applies if either is met.
    """

    status: int
    reason: Reason
    is_retryable: bool = False
    codes: frozenset[str] = frozenset()
    message_pattern: re.Pattern[str] | None = None

    def matches(self, status: int, body: ResponseBody) -> bool:
        if status != self.status:
            return False
        if not self.codes and self.message_pattern is None:
            return True
        return body.code in self.codes or (
            self.message_pattern is not None and bool(self.message_pattern.search(body.message))
        )


_DND = re.compile(r"\b(NDNC|DND|do[ -]not[ -]disturb)\b", re.IGNORECASE)
_ACCOUNT = re.compile(
    r"\b(KYC|balance|not active|inactive|validity|expired|suspended|trial)\b", re.IGNORECASE
)
_CHANNELS = re.compile(r"\b(concurren(t|cy)|channels?)\b", re.IGNORECASE)
_ACCOUNT_CODES = frozenset({"40000", "40001", "40002", "340030"})
_COUNTRY_NOT_ENABLED = frozenset({"40003"})
_BAD_KEY = frozenset({"34001", "34010"})

_COMMON = (
    # Someone on the register who never called the ExoPhone: looks like an authentication problem.
    ResponseRule(403, Reason.DO_NOT_DISTURB, message_pattern=_DND),
    # Of whom it was to go to: everybody else is served, so it must hold up nobody else.
    ResponseRule(403, Reason.PROVIDER_REFUSED, codes=_COUNTRY_NOT_ENABLED),
    ResponseRule(403, Reason.ACCOUNT_PROBLEM, codes=_ACCOUNT_CODES, message_pattern=_ACCOUNT),
    ResponseRule(403, Reason.PROVIDER_AUTH),
    ResponseRule(400, Reason.PROVIDER_AUTH, codes=_BAD_KEY),
    ResponseRule(400, Reason.DO_NOT_DISTURB, message_pattern=_DND),
    ResponseRule(400, Reason.PROVIDER_REFUSED),
    ResponseRule(401, Reason.PROVIDER_AUTH),
    ResponseRule(402, Reason.ACCOUNT_PROBLEM),
    ResponseRule(404, Reason.PROVIDER_REFUSED),
    ResponseRule(405, Reason.PROVIDER_REFUSED),
    ResponseRule(409, Reason.PROVIDER_REFUSED),
    # The server gave up waiting for the request, so there was none for it to act on.
    ResponseRule(408, Reason.CONNECTION_FAILED, is_retryable=True),
)

RULES: Mapping[Api, tuple[ResponseRule, ...]] = {
    Api.VOICE: (
        # As many calls go on as the plan allows: nothing rang, and a place will come free.
        *(
            ResponseRule(status, Reason.CHANNELS_BUSY, is_retryable=True, message_pattern=_CHANNELS)
            for status in (400, 403, 409, 429)
        ),
        *_COMMON,
        ResponseRule(429, Reason.RATE_LIMITED, is_retryable=True),
    ),
    Api.SMS: (
        *_COMMON,
        # A trial account has ten SMS altogether: no waiting brings more.
        ResponseRule(429, Reason.ACCOUNT_PROBLEM, codes=frozenset({"40404"})),
        ResponseRule(429, Reason.RATE_LIMITED, is_retryable=True),
        # The throttle answers with a 5xx of its own, before the SMS is taken in.
        ResponseRule(503, Reason.RATE_LIMITED, is_retryable=True),
    ),
}
"""The first row that applies is the meaning. Other 4xx and 3xx are refused, other 5xx unknown."""


def interpret_response(
    api: Api, status: int, body: bytes, *, now: datetime, retry_after: str | None = None
) -> Answer:
    """What one answer to a request that asks for something means.

    `retry_after` is the header as it came, `now` the instant that a date in it is measured from.
    The answer's `code` is the HTTP status, with Exotel's own code behind a colon if it gave one.
    """
    read = parse_body(body)
    code = f"{status}:{read.code}" if read.code else str(status)
    if 200 <= status < 300:
        if read.sid and not read.is_error:
            return Accepted(read.sid, code)
        return Unknown(code, Reason.REPLY_LOST, read.message or "the answer names no Sid")
    rule = next((each for each in RULES[api] if each.matches(status, read)), None)
    if rule is not None:
        wait_s = parse_retry_after_s(retry_after, now) if rule.is_retryable else None
        return Refused(rule.is_retryable, code, rule.reason, read.message, wait_s)
    if 300 <= status < 500:
        return Refused(False, code, Reason.PROVIDER_REFUSED, read.message)
    return Unknown(code, Reason.REPLY_LOST, read.message)


MAX_RETRY_AFTER_S = 24 * 3600.0
"""A day: whoever asks for more has sent a wrong date."""


def parse_retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for, from either of its forms (RFC 9110); None if neither."""
    text = (header or "").strip()[:64]
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
        # A date of HTTP is in GMT even where it fails to say so.
        wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
