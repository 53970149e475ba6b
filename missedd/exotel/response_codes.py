"""What Exotel's answer to a request means: accepted, surely refused, or unknown.

    200 {"Call": {"Sid": "c5797dcbaaeed7678c4062a4a3ed2f8a", "Status": "in-progress", …}}
    200 {"SMSMessage": {"Sid": "…", "Status": "queued", "DetailedStatusCode": 21010, …}}
    400 {"RestException": {"Status": 400, "Message": "The 'From' parameter is required."}}
    403 {"RestException": {"Status": "403", "Code": 40001, "Message": "Insufficient balance …"}}
    403 <TwilioResponse><RestException><Status>403</Status><Message>Account is not active</Message>…
    401 Unauthorized

The invariant: a result is `Refused` only if the request surely had no effect. Exotel has no idempotency
key, so a request that may have rung a phone is `Unknown` and is looked up. The HTTP status decides. Code
and message only separate refusals of one status, and never turn a refusal into an acceptance.
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
    """Exotel's two APIs. The same status may have different meanings in them."""

    VOICE = "voice"
    SMS = "sms"


@dataclass(frozen=True, slots=True)
class ResponseRule:
    """One row: an HTTP status, and optionally codes of the body and a pattern for its message.

    A row with both codes and a pattern applies if either matches.
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
    # A number on the register that never called the ExoPhone. It looks like an authentication problem.
    ResponseRule(403, Reason.DO_NOT_DISTURB, message_pattern=_DND),
    # Only the called country is not enabled. Other numbers work, so this must not hold the lane.
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
    # The server stopped waiting for the request, so it had no request to act on.
    ResponseRule(408, Reason.CONNECTION_FAILED, is_retryable=True),
)

RULES: Mapping[Api, tuple[ResponseRule, ...]] = {
    Api.VOICE: (
        # All channels of the plan are in use: no phone rang, and a channel will become free.
        *(
            ResponseRule(status, Reason.CHANNELS_BUSY, is_retryable=True, message_pattern=_CHANNELS)
            for status in (400, 403, 409, 429)
        ),
        *_COMMON,
        ResponseRule(429, Reason.RATE_LIMITED, is_retryable=True),
    ),
    Api.SMS: (
        *_COMMON,
        # A trial account has ten SMS in total, so it does not help to wait.
        ResponseRule(429, Reason.ACCOUNT_PROBLEM, codes=frozenset({"40404"})),
        ResponseRule(429, Reason.RATE_LIMITED, is_retryable=True),
        # The throttle answers with this 5xx before the SMS is accepted.
        ResponseRule(503, Reason.RATE_LIMITED, is_retryable=True),
    ),
}
"""The first row that applies decides. Other 4xx and 3xx are refused, other 5xx are unknown."""


def interpret_response(
    api: Api, status: int, body: bytes, *, now: datetime, retry_after: str | None = None
) -> Answer:
    """Interpret the answer to a request for a call or an SMS.

    `retry_after` is the header as it came. A date in it is measured from `now`, which is aware. The
    result's `code` is the HTTP status, then a colon and Exotel's own code if there is one: `403:40001`.
    """
    read = parse_body(body)
    code = f"{status}:{read.code}" if read.code else str(status)
    if 200 <= status < 300:
        if read.sid and not read.is_error:
            return Accepted(read.sid, code)
        return Unknown(code, Reason.REPLY_LOST, read.message or "the answer has no Sid")
    rule = next((each for each in RULES[api] if each.matches(status, read)), None)
    if rule is not None:
        wait_s = parse_retry_after_s(retry_after, now) if rule.is_retryable else None
        return Refused(rule.is_retryable, code, rule.reason, read.message, wait_s)
    if 300 <= status < 500:
        return Refused(False, code, Reason.PROVIDER_REFUSED, read.message)
    return Unknown(code, Reason.REPLY_LOST, read.message)


MAX_RETRY_AFTER_S = 24 * 3600.0
"""A day. A longer wait comes from a wrong date."""


def parse_retry_after_s(header: str | None, now: datetime) -> float | None:
    """The wait in seconds of a Retry-After, from either of its forms (RFC 9110); None if unreadable."""
    text = (header or "").strip()[:64]
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
        # A date of HTTP is in GMT, even without a zone.
        wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
