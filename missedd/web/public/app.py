"""The public site: its paths, and the reply to Exotel for each outcome.

There is no framework and no socket here: a path and a request come in, a reply goes out. A webhook gets a 200
only after `admit` or `report` has returned, and they return only after the commit is on disk. A request that
is not understood gets a 4xx, and one that is not stored gets a 503. The body of a 200 is empty, because
Exotel's applets send a text body to the caller. The only exception is the dynamic SMS applet, which asks for
a text.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from urllib.parse import unquote

from missedd.core.model import InboundCall, StatusReport, Verdict
from missedd.core.reasons import Reason
from missedd.exotel.misdirected_requests import OtherProduct, identify_product
from missedd.exotel.missed_call_webhook import parse_missed_call, parse_sms_applet_request
from missedd.exotel.status_report_parser import parse_call_report, parse_sms_report
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest
from missedd.web.public.responses import (
    EMPTY,
    NOT_FOUND,
    NOT_READY,
    TRY_AGAIN,
    HttpReply,
    NoRoom,
    NotStored,
    problem_reply,
)

type Admit = Callable[[InboundCall], Awaitable[Verdict]]
type Report = Callable[[str, int, StatusReport], Awaitable[None]]


class SmsAppletPort(Protocol):
    """The SMS bodies for the dynamic SMS applet."""

    async def hand_over_sms(self, call: InboundCall) -> str:
        """The SMS body for a call, or "" if there is none. It is marked as sent on disk first."""
        ...

    async def preview_sms(self, call: InboundCall) -> str:
        """The SMS body that `hand_over_sms` would return now. It changes nothing."""
        ...


class RequestLog(Protocol):
    """Log of requests that stored nothing. `place` is a path without its token."""

    def refused(self, status: int, place: str, why: str) -> None:
        """A request was not understood, or has a wrong path or token; 4xx."""
        ...

    def misdirected(self, product: OtherProduct) -> None:
        """Another Exotel product calls the missed-call URL by mistake: 200, so that it does not retry."""
        ...

    def unavailable(self, place: str, error: Exception) -> None:
        """A request could not be stored, for an expected reason: 503, and Exotel sends it again."""
        ...

    def failed(self, place: str, error: Exception) -> None:
        """An unexpected error, logged with its traceback: 503, and Exotel sends the request again."""
        ...


READINESS_PATH: Final = "/readyz"
"""A load balancer asks here, without the token, whether calls are stored: 200 or 503, with no body."""
_PREFIX: Final = "/exotel/"
_VERDICT_REPLIES: Final = {each: HttpReply(200, (("Missedd-Verdict", each.value),)) for each in Verdict}
_ALLOWS_ALL: Final = "GET, HEAD, POST"
_ALLOWS_POST: Final = "POST"
_ALLOWS_READING: Final = "GET, HEAD"
_PLAIN_TEXT: Final = (("Content-Type", "text/plain"),)
"""Exactly this value: if a charset follows, the applet sends no SMS."""
_LONGEST_ID: Final = 18
"""Digits: every number of this length fits into the 64 bits of the database."""


class PublicSite:
    """Answers the requests to the public listener.

    `admit` decides and stores a missed call. `report` stores a status report; its arguments are `call` or
    `sms`, the action's id and the report. `sms_applet` serves the dynamic SMS applet. All of them raise one
    of `retry_errors` if Exotel should send the request again. `is_ready` tells whether calls can be stored.
    """

    def __init__(
        self,
        token: str,
        admit: Admit,
        report: Report,
        sms_applet: SmsAppletPort,
        log: RequestLog,
        is_ready: Callable[[], bool],
        retry_errors: tuple[type[Exception], ...] = (NotStored, NoRoom),
    ) -> None:
        self._token = token.encode()
        self._admit = admit
        self._report = report
        self._sms_applet = sms_applet
        self._log = log
        self._is_ready = is_ready
        self._retry_errors = retry_errors

    async def answer(self, path: str, request: WebhookRequest) -> HttpReply:
        """Answer a request. Never raises: an error becomes a 503, and Exotel sends the request again."""
        place = self._place(path)
        if place is None:
            if path == READINESS_PATH and request.method in ("GET", "HEAD"):
                return EMPTY if self._is_ready() else NOT_READY
            self._log.refused(404, "?", "wrong token or unknown path")
            return NOT_FOUND
        try:
            match place.split("/"):
                case ["missed-call"]:
                    return await self._missed_call(place, request)
                case ["sms-text"]:
                    return await self._sms_text(place, request)
                case ["call-status", action] if (action_id := _action_id(action)) is not None:
                    return await self._status("call", action_id, place, request)
                case ["sms-status", action] if (action_id := _action_id(action)) is not None:
                    return await self._status("sms", action_id, place, request)
        except self._retry_errors as error:
            self._log.unavailable(place, error)
            return TRY_AGAIN
        except Exception as error:
            self._log.failed(place, error)
            return TRY_AGAIN
        self._log.refused(404, "?", "unknown path")
        return NOT_FOUND

    def _place(self, path: str) -> str | None:
        """A path without its token, `missed-call` for example; None if the token is not ours."""
        if not path.startswith(_PREFIX):
            return None
        token, _, place = path.removeprefix(_PREFIX).partition("/")
        if "%" in token:
            token = unquote(token)
        # The comparison takes constant time, so that the token cannot be guessed letter by letter.
        return place if hmac.compare_digest(token.encode(), self._token) else None

    async def _missed_call(self, place: str, request: WebhookRequest) -> HttpReply:
        if request.method == "HEAD":
            return EMPTY  # a probe: it shows that the daemon runs, and stores nothing
        if request.method not in ("GET", "POST"):
            return self._method_not_allowed(place, request, _ALLOWS_ALL)
        call = parse_missed_call(request)
        if isinstance(call, RequestRejection):
            return self._reject(place, call)
        if isinstance(call, OtherProduct):
            self._log.misdirected(call)
            return _VERDICT_REPLIES[Verdict.NOT_MISSED]
        verdict = await self._admit(call)
        if call.not_missed is Reason.OTHER_PRODUCT and (product := identify_product(call.fields)) is not None:
            self._log.misdirected(product)
        return _VERDICT_REPLIES[verdict]

    async def _sms_text(self, place: str, request: WebhookRequest) -> HttpReply:
        """Answer the SMS applet with a text in UTF-8. HEAD returns the headers of GET and stores nothing."""
        if request.method not in ("GET", "HEAD"):
            return self._method_not_allowed(place, request, _ALLOWS_READING)
        call = parse_sms_applet_request(request)
        if isinstance(call, OtherProduct):
            self._log.misdirected(call)
            text = ""
        elif request.method == "HEAD":
            # A HEAD request without a call is a probe, as on `missed-call`.
            text = "" if isinstance(call, RequestRejection) else await self._sms_applet.preview_sms(call)
        elif isinstance(call, RequestRejection):
            return self._reject(place, call)
        else:
            text = await self._sms_applet.hand_over_sms(call)
        return HttpReply(200, _PLAIN_TEXT, text.encode())

    async def _status(self, kind: str, action_id: int, place: str, request: WebhookRequest) -> HttpReply:
        if request.method != "POST":
            return self._method_not_allowed(place, request, _ALLOWS_POST)
        parse = parse_call_report if kind == "call" else parse_sms_report
        report = parse(request)
        if isinstance(report, RequestRejection):
            return self._reject(place, report)
        await self._report(kind, action_id, report)
        return EMPTY

    def _reject(self, place: str, rejection: RequestRejection) -> HttpReply:
        self._log.refused(rejection.status, place, rejection.detail)
        return problem_reply(rejection.status, rejection.title, rejection.detail)

    def _method_not_allowed(self, place: str, request: WebhookRequest, allowed: str) -> HttpReply:
        self._log.refused(405, place, f"{request.method} is not for this path")
        return HttpReply(405, (("Allow", allowed),))


def _action_id(text: str) -> int | None:
    """Parse a positive whole number in ASCII digits; None if it is something else."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        return None
    return int(text) or None
