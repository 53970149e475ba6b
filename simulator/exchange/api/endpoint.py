"""Exotel's REST API over nothing in particular: a request value in, a reply value out.

Paths and field names are case-sensitive; every accepted POST has its effect, a repeated one twice.
Faults strike here, before the effect or after it. What no reply can express is raised: a refused or
dropped connection, an answer that never comes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

import trio

from simulator.exchange.api.request import Request
from simulator.exchange.api.resources import counts_as_voice, serve, target_of
from simulator.exchange.api.sms_send import bulk_fields
from simulator.exchange.api.versions import Address, content_type, no_path, read_address, refused, written
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import Refusal
from simulator.exchange.model.faults import UNCONNECTED, WITHOUT_EFFECT, Fault, FaultName, Target
from simulator.exchange.model.records import ApiRequest
from simulator.exchange.webhooks.body_formats import read_fields

_REFUSALS = {
    FaultName.HTTP_401: (401, "Authentication failed. Verify your API key and token.", 34010),
    FaultName.HTTP_402: (402, "The requested feature is not part of your plan", None),
    FaultName.HTTP_403: (403, "Insufficient balance in your account", 40001),
    FaultName.HTTP_429: (429, "Too Many Requests", None),
    FaultName.HTTP_500: (500, "Internal Server Error", None),
    FaultName.HTTP_503: (503, "Service Unavailable", None),
}


class NotConnected(Exception):
    """The connection was never made; `fault` says how that went."""

    def __init__(self, fault: FaultName) -> None:
        super().__init__(fault)
        self.fault = fault


class ConnectionDropped(Exception):
    """The connection ended without a byte of an answer."""


class NeverAnswers(Exception):
    """The connection stays open and nothing comes."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request. Header names are in lower case; `query` is raw, without its question mark."""

    method: str
    path: str
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ApiReply:
    status: int
    headers: Mapping[str, str]
    body: bytes
    ignored: tuple[str, ...] = ()
    """Names of parameters that nobody read; not a part of the answer."""


async def respond(exchange: Exchange, call: ApiCall) -> ApiReply:
    """Serve one request, and record in the truth what it asked, did and got.

    Raises NotConnected, ConnectionDropped or NeverAnswers where a fault says so.
    """
    address = read_address(call.path)
    target = target_of(call.method, address)
    entry = ApiRequest(
        at=exchange.world.now(),
        method=call.method,
        path=call.path,
        query=call.query.decode("latin-1"),
        target=target.value,
        is_voice=counts_as_voice(target, address),
    )
    fault = exchange.faults.pick(target)
    if fault is not None:
        entry.fault, entry.fault_when = FaultName(fault.name).value, fault.when
    exchange.truth.api_requests.append(entry)

    if fault is not None and fault.name in UNCONNECTED:
        raise NotConnected(FaultName(fault.name))
    reply: ApiReply | None = None
    if fault is not None and (fault.when == "before" or fault.name in WITHOUT_EFFECT):
        reply = await _broken(fault, address, target, None)
    if reply is None:
        reply = _answer(exchange, call, address, entry)
        await trio.sleep(exchange.settings.api_latency_s)
        if fault is not None and fault.when == "after":
            reply = await _broken(fault, address, target, reply) or reply
    entry.status = reply.status
    return replace(reply, ignored=tuple(entry.ignored))


def _answer(exchange: Exchange, call: ApiCall, address: Address, entry: ApiRequest) -> ApiReply:
    """The honest answer, and its effect. No checkpoint: limit, check and effect are one step."""
    settings = exchange.settings
    try:
        if address.version is None:
            raise no_path(address)
        _authenticate(
            call.headers, address.account, settings.api_key, settings.api_token, settings.account_sid
        )
        answer = serve(exchange, _request(call, address), address, entry)
    except Refusal as refusal:
        request_id = exchange.world.new_sid() if address.has_envelope else ""
        reply = _reply(refusal.status, address, refused(address, call.method, request_id, refusal))
        if refusal.status == 429 and settings.retry_after_s is not None:
            headers = {**reply.headers, "retry-after": str(settings.retry_after_s)}
            reply = replace(reply, headers=headers)
        return reply
    entry.sids += answer.sids
    entry.sid = answer.sids[0] if answer.sids else None
    if isinstance(answer.content, str):
        return ApiReply(200, {"content-type": "text/html; charset=UTF-8"}, answer.content.encode())
    return _reply(answer.status, address, written(address, answer.content))


def _request(call: ApiCall, address: Address) -> Request:
    kind = call.headers.get("content-type", "")
    # The only form of this API that is documented in JSON too.
    reads_json = address.resource == "Sms/bulksend" and kind.startswith("application/json")
    return Request(
        method=call.method,
        resource=address.resource,
        path=call.path,
        query=dict(parse_qsl(call.query.decode("latin-1"), keep_blank_values=True)),
        fields=bulk_fields(call.body) if reads_json else read_fields(kind, call.body),
        body=call.body,
        as_json=address.as_json,
    )


def _authenticate(headers: Mapping[str, str], account: str, key: str, token: str, sid: str) -> None:
    """The user is the API key or, as older pages and clients have it, the account SID."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Refusal(401, "Authentication failed. Verify your API key and token.")
    try:
        user, _, given_token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(400, "Malformed API key or token", 34001) from None
    if not ((user.isalnum() or user == sid) and given_token.isalnum()):
        raise Refusal(400, "Malformed API key or token", 34001)
    if user not in (key, sid) or given_token != token:
        raise Refusal(401, "Authentication failed. Verify your API key and token.", 34010)
    if account != sid:
        raise Refusal(403, "Forbidden", 34009)


def _reply(status: int, address: Address, body: bytes) -> ApiReply:
    return ApiReply(status, {"content-type": content_type(address)}, body)


def _error(status: int, address: Address, refusal: Refusal) -> ApiReply:
    return _reply(status, address, written(address, refusal.shown()))


async def _broken(fault: Fault, address: Address, target: Target, honest: ApiReply | None) -> ApiReply | None:
    """What the caller gets instead, or None if the fault only took its time."""
    match fault.name:
        case FaultName.SLOW:
            await trio.sleep(fault.wait_s)
            return None
        case FaultName.DROP_REPLY:
            raise ConnectionDropped
        case FaultName.TIMEOUT:
            raise NeverAnswers
        case FaultName.OK_WITHOUT_SID:
            name = "SMSMessage" if target in (Target.SMS, Target.SMS_DETAILS) else "Call"
            return _reply(200, address, written(address, {name: {"Status": "queued"}}))
        case FaultName.ERROR_IN_200:
            return _error(200, address, Refusal(500, "Internal Server Error", 35000))
        case FaultName.MALFORMED_BODY:
            torn = honest.body[: len(honest.body) // 2] if honest else b"<html><body>Unauthorized"
            return _reply(200, address, torn)
    status, message, code = _REFUSALS[FaultName(fault.name)]
    reply = _error(status, address, Refusal(status, message, code))
    if fault.retry_after_s is not None:
        reply = replace(reply, headers={**reply.headers, "retry-after": str(fault.retry_after_s)})
    return reply
