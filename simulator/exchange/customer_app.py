"""The operator's own applications, which outgoing webhooks are for: they take them, or they do not.

Each host of a webhook's URL is an application of its own; what nobody has said of one is true of all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx
import trio

from simulator.base.choices import Choice
from simulator.exchange.model.faults import CONNECT_ERRORS, FaultName
from simulator.exchange.model.records import SENDER_EXTENSION, RequestSender


class AppFailure(Choice):
    """How an application fails that gives no answer."""

    DOWN = "down"
    """Nothing listens: the connection is refused."""
    UNRESOLVABLE = "unresolvable"
    """No address is known for its name."""
    UNREACHABLE = "unreachable"
    """No connection comes about, and nothing says so."""
    BAD_CERTIFICATE = "bad-certificate"
    HANGS = "hangs"
    """It takes the connection and the message, and never answers."""
    DROPS = "drops"
    """It takes the message and closes the connection."""


@dataclass(frozen=True, slots=True)
class AppBehaviour:
    """How an application is: the status that it answers with after a while, or a mood."""

    response: int | AppFailure = 200
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One webhook as it arrived. `number` is the person it tells of."""

    message_id: str
    at: datetime
    is_signed: bool
    """The signature is the Standard Webhooks letter's, by the application's own reckoning."""
    status: int | None
    """What the application answered, or would have if it had been waited for; None for nothing."""
    number: str | None
    payload: dict[str, Any]
    sent_by: RequestSender | None = None


class CustomerApps(httpx.AsyncBaseTransport):
    """An httpx transport with the applications behind it, well until it is told otherwise."""

    def __init__(self, now: Callable[[], datetime], key: bytes) -> None:
        self._now = now
        self._key = key
        self._behaviours: dict[str | None, AppBehaviour] = {}
        self.messages: list[Message] = []

    def set_behaviour(self, manner: AppBehaviour, host: str | None = None) -> None:
        """From now on the application at `host` is like that; where it is None, all that nobody named."""
        self._behaviours[host] = manner

    def reset_behaviour(self) -> None:
        """All of them are well."""
        self._behaviours.clear()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        manner = self._behaviours.get(request.url.host) or self._behaviours.get(None) or AppBehaviour()
        if manner.response in _FAILURES_TO_CONNECT:
            await _fail_to_connect(manner.response, request)
        self.messages.append(self._record_message(request, await request.aread(), manner))
        if manner.delay_s:
            await trio.sleep(manner.delay_s)
        match manner.response:
            case AppFailure.HANGS:
                await trio.sleep_forever()
                raise AssertionError("nothing ends that")
            case AppFailure.DROPS:
                raise httpx.RemoteProtocolError("closed without an answer", request=request)
            case status:
                return httpx.Response(int(status), request=request)

    def _record_message(self, request: httpx.Request, body: bytes, manner: AppBehaviour) -> Message:
        headers = request.headers
        is_form = headers["content-type"] == "application/x-www-form-urlencoded"
        payload = _form_as_payload(body) if is_form else json.loads(body)
        return Message(
            message_id=headers["webhook-id"],
            at=self._now(),
            is_signed=self._is_signed(headers, body),
            status=None if isinstance(manner.response, AppFailure) else manner.response,
            number=payload["data"].get("from") or payload["data"].get("number"),
            payload=payload,
            sent_by=request.extensions.get(SENDER_EXTENSION),
        )

    def accepted_messages(self) -> list[Message]:
        """The messages that were taken, each id once."""
        well = [each for each in reversed(self.messages) if each.status is not None and each.status < 300]
        return list(reversed({each.message_id: each for each in well}.values()))

    def _is_signed(self, headers: httpx.Headers, body: bytes) -> bool:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in headers.get("webhook-signature", "").split(" ")


_CONNECT_FAULTS: Final[Mapping[int | AppFailure, FaultName]] = {
    AppFailure.DOWN: FaultName.REFUSE_CONNECTION,
    AppFailure.UNRESOLVABLE: FaultName.NAME_UNRESOLVED,
    AppFailure.BAD_CERTIFICATE: FaultName.TLS_FAILURE,
}
_FAILURES_TO_CONNECT: Final = (*_CONNECT_FAULTS, AppFailure.UNREACHABLE)


async def _fail_to_connect(failure: int | AppFailure, request: httpx.Request) -> None:
    """Raise what httpx raises where no connection comes about, caused by what the network said."""
    if failure is AppFailure.UNREACHABLE:
        await trio.sleep(request.extensions["timeout"]["connect"])
        raise httpx.ConnectTimeout("no connection in time", request=request)
    cause = CONNECT_ERRORS[_CONNECT_FAULTS[failure]]()
    raise httpx.ConnectError(str(cause), request=request) from cause


def _form_as_payload(body: bytes) -> dict[str, Any]:
    """A webhook with the parameters of Exotel's own, as the JSON would have told it."""
    fields = dict(parse_qsl(body.decode()))
    kind = "verification.verified" if "VerificationId" in fields else "missed_call.accepted"
    return {
        "type": kind,
        "data": {
            "from": fields.get("From"),
            "call_sid": fields.get("CallSid"),
            "campaign": fields.get("Campaign"),
        },
    }
