"""The operator's own application, which outgoing webhooks are for: it takes them, or it does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx


@dataclass(frozen=True, slots=True)
class Message:
    """One webhook as it arrived. `number` is the person it tells of."""

    message_id: str
    at: datetime
    is_signed: bool
    """The signature is the Standard Webhooks letter's, by the application's own reckoning."""
    status: int
    """What the application answered."""
    number: str | None
    payload: dict[str, Any]


class Application(httpx.AsyncBaseTransport):
    """An httpx transport with the application behind it. A `status` of None refuses connections."""

    def __init__(self, now: Callable[[], datetime], key: bytes) -> None:
        self._now = now
        self._key = key
        self.status: int | None = 200
        self.messages: list[Message] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.status is None:
            raise httpx.ConnectError("the application is down", request=request)
        body = await request.aread()
        headers = request.headers
        is_form = headers["content-type"] == "application/x-www-form-urlencoded"
        payload = _read_form(body) if is_form else json.loads(body)
        self.messages.append(
            Message(
                message_id=headers["webhook-id"],
                at=self._now(),
                is_signed=self._is_signed(headers, body),
                status=self.status,
                number=payload["data"].get("from") or payload["data"].get("number"),
                payload=payload,
            )
        )
        return httpx.Response(self.status, request=request)

    def taken(self) -> list[Message]:
        """The messages that were taken, each id once."""
        first = {each.message_id: each for each in reversed(self.messages) if each.status < 300}
        return list(reversed(first.values()))

    def _is_signed(self, headers: httpx.Headers, body: bytes) -> bool:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in headers.get("webhook-signature", "").split(" ")


def _read_form(body: bytes) -> dict[str, Any]:
    """A webhook with the parameters of Exotel's own, as the JSON would have told it."""
    fields = dict(parse_qsl(body.decode()))
    kind = "verification.verified" if "VerificationId" in fields else "missed_call.accepted"
    return {"type": kind, "data": {"from": fields.get("From"), "call_sid": fields.get("CallSid")}}
