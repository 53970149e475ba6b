"""The public site: which path means what, and what each outcome looks like to Exotel.

No framework and no socket: a path and a request in, a reply out. A webhook is given a 200 only when
`admit` or `report` has returned, and they return only when the commit is on disk; everything that is
not understood or not kept is a 4xx or a 503. The body of a 200 is empty, because Exotel's applets send
a text body to the caller; but for the one applet that is there to be given a text.
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
    """What the dynamic SMS applet is given."""

    async def hand_over_sms(self, call: InboundCall) -> str:
        """The text owed for a call, once it is on record that it was given away; "" if none is."""
        ...

    async def preview_sms(self, call: InboundCall) -> str:
        """The text that would be given now. It changes nothing."""
        ...


class RequestLog(Protocol):
    """What the operator hears of requests that brought nothing in. `place` is a path without its token."""

    def refused(self, status: int, place: str, why: str) -> None:
        """A request was not understood, or not for us; 4xx."""
        ...

    def misdirected(self, product: OtherProduct) -> None:
        """Another Exotel product has the missed-call address by mistake: 200, or it would send it again."""
        ...

    def unavailable(self, place: str, error: Exception) -> None:
        """We could not keep it just now, as we foresaw: 503, and Exotel sends it again."""
        ...

    def failed(self, place: str, error: Exception) -> None:
        """Our own mistake, one line and the traceback: 503, and Exotel sends it again."""
        ...


READINESS_PATH: Final = "/readyz"
"""Where a load balancer asks, without the token, whether calls are kept: 200 or 503 and no word more."""
_VERDICT_REPLIES: Final = {each: HttpReply(200, (("Missedd-Verdict", each.value),)) for each in Verdict}
_ALLOWS_ALL: Final = "GET, HEAD, POST"
_ALLOWS_POST: Final = "POST"
_ALLOWS_READING: Final = "GET, HEAD"
_PLAIN_TEXT: Final = (("Content-Type", "text/plain"),)
"""To the letter: with a charset behind it the applet sends nothing."""
_LONGEST_ID: Final = 18
"""Digits: every such number fits the store's 64 bits."""


class PublicSite:
    """Answers what arrives at the public listener.

    `admit` decides and keeps a missed call; `report` keeps a status report, given `call` or `sms`
    and the action's id; `sms_applet` are the SMS applet's. All raise one of `retry_errors` where Exotel
    should ask again. `is_ready` says whether calls would be kept just now.
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
        """Never raises: a request that we fail is one that Exotel must send again."""
        match path.split("/"):
            case ["", "exotel", token, *rest] if self._is_own_token(token):
                place = "/".join(rest)
            case _ if path == READINESS_PATH and request.method in ("GET", "HEAD"):
                return EMPTY if self._is_ready() else NOT_READY
            case _:
                self._log.refused(404, "?", "wrong token or unknown path")
                return NOT_FOUND
        try:
            match rest:
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

    def _is_own_token(self, token: str) -> bool:
        # In constant time, so that the token cannot be guessed letter by letter.
        return hmac.compare_digest(unquote(token).encode(), self._token)

    async def _missed_call(self, place: str, request: WebhookRequest) -> HttpReply:
        if request.method == "HEAD":
            return EMPTY  # a probe: it says that we are here, and admits nothing
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
        """HEAD says what GET would, its length included, and takes nothing; the text goes out as UTF-8."""
        if request.method not in ("GET", "HEAD"):
            return self._method_not_allowed(place, request, _ALLOWS_READING)
        call = parse_sms_applet_request(request)
        if isinstance(call, OtherProduct):
            self._log.misdirected(call)
            text = ""
        elif request.method == "HEAD":
            # Without a call it is a probe, as on `missed-call`.
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
    """A positive whole number in plain digits, or None."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        return None
    return int(text) or None
