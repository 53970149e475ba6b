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
from simulator.exchange.api.resources import answer_request, fault_target, is_voice_request
from simulator.exchange.api.sms_send import bulk_fields
from simulator.exchange.api.versions import (
    ApiPath,
    content_type,
    error_body,
    parse_path,
    response_body,
    unknown_path,
)
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import RestException
from simulator.exchange.model.faults import (
    CONNECT_FAULTS,
    FAULTS_WITHOUT_EFFECT,
    Fault,
    FaultName,
    FaultTarget,
)
from simulator.exchange.model.records import ApiRequest, RequestSender
from simulator.exchange.webhooks.body_formats import read_fields

_FAULT_ERRORS = {
    FaultName.HTTP_401: (401, "Authentication failed. Verify your API key and token.", 34010),
    FaultName.HTTP_402: (402, "The requested feature is not part of your plan", None),
    FaultName.HTTP_403: (403, "Insufficient balance in your account", 40001),
    FaultName.HTTP_429: (429, "Too Many Requests", None),
    FaultName.HTTP_500: (500, "Internal Server Error", None),
    FaultName.HTTP_503: (503, "Service Unavailable", None),
}


class ConnectionNeverMade(Exception):
    """The connection was never made; `fault` says how that went."""

    def __init__(self, fault: FaultName) -> None:
        super().__init__(fault)
        self.fault = fault


class ConnectionDropped(Exception):
    """The connection ended without a byte of an answer."""


class ReplyNeverSent(Exception):
    """The connection stays open and nothing comes."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. Header names are in lower case; `query` is raw, without its question mark."""

    method: str
    path: str
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent_by: RequestSender | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes
    ignored_parameters: tuple[str, ...] = ()
    """Names of parameters that nobody read; not a part of the answer."""


async def handle_request(exchange: Exchange, request: HttpRequest) -> HttpResponse:
    """Serve one request, and record in the truth what it asked, did and got.

    Raises ConnectionNeverMade, ConnectionDropped or ReplyNeverSent where a fault says so.
    """
    address = parse_path(request.path)
    target = fault_target(request.method, address)
    entry = ApiRequest(
        at=exchange.state.now(),
        method=request.method,
        path=request.path,
        query=request.query.decode("latin-1"),
        target=target.value,
        is_voice=is_voice_request(target, address),
        sent_by=request.sent_by,
    )
    fault = exchange.faults.take_next(target)
    if fault is not None:
        entry.fault, entry.fault_when = FaultName(fault.name).value, fault.when
    exchange.ground_truth.api_requests.append(entry)

    if fault is not None and fault.name in CONNECT_FAULTS:
        raise ConnectionNeverMade(FaultName(fault.name))
    reply: HttpResponse | None = None
    if fault is not None and (fault.when == "before" or fault.name in FAULTS_WITHOUT_EFFECT):
        reply = await _apply_fault(fault, address, target, None)
    if reply is None:
        reply = _handle_normally(exchange, request, address, entry)
        await trio.sleep(exchange.settings.api_latency_s)
        if fault is not None and fault.when == "after":
            reply = await _apply_fault(fault, address, target, reply) or reply
    entry.status = reply.status
    return replace(reply, ignored_parameters=tuple(entry.ignored))


def _handle_normally(
    exchange: Exchange, request: HttpRequest, address: ApiPath, record: ApiRequest
) -> HttpResponse:
    """The honest answer, and its effect. No checkpoint: limit, check and effect are one step."""
    settings = exchange.settings
    try:
        if address.version is None:
            raise unknown_path(address)
        _authenticate(
            request.headers, address.account, settings.api_key, settings.api_token, settings.account_sid
        )
        answer = answer_request(exchange, _parse_request(request, address), address, record)
    except RestException as refusal:
        request_id = exchange.state.new_sid() if address.has_envelope else ""
        reply = _response(refusal.status, address, error_body(address, request.method, request_id, refusal))
        if refusal.status == 429 and settings.retry_after_s is not None:
            headers = {**reply.headers, "retry-after": str(settings.retry_after_s)}
            reply = replace(reply, headers=headers)
        return reply
    record.sids += answer.sids
    record.sid = answer.sids[0] if answer.sids else None
    if isinstance(answer.content, str):
        return HttpResponse(200, {"content-type": "text/html; charset=UTF-8"}, answer.content.encode())
    return _response(answer.status, address, response_body(address, answer.content))


def _parse_request(request: HttpRequest, address: ApiPath) -> Request:
    kind = request.headers.get("content-type", "")
    # The only form of this API that is documented in JSON too.
    reads_json = address.resource == "Sms/bulksend" and kind.startswith("application/json")
    return Request(
        method=request.method,
        resource=address.resource,
        path=request.path,
        query=dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)),
        fields=bulk_fields(request.body) if reads_json else read_fields(kind, request.body),
        body=request.body,
        as_json=address.as_json,
    )


def _authenticate(headers: Mapping[str, str], account: str, key: str, token: str, sid: str) -> None:
    """The user is the API key or, as older pages and clients have it, the account SID."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise RestException(401, "Authentication failed. Verify your API key and token.")
    try:
        user, _, given_token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise RestException(400, "Malformed API key or token", 34001) from None
    if not ((user.isalnum() or user == sid) and given_token.isalnum()):
        raise RestException(400, "Malformed API key or token", 34001)
    if user not in (key, sid) or given_token != token:
        raise RestException(401, "Authentication failed. Verify your API key and token.", 34010)
    if account != sid:
        raise RestException(403, "Forbidden", 34009)


def _response(status: int, address: ApiPath, body: bytes) -> HttpResponse:
    return HttpResponse(status, {"content-type": content_type(address)}, body)


def _error_response(status: int, address: ApiPath, refusal: RestException) -> HttpResponse:
    return _response(status, address, response_body(address, refusal.as_json()))


async def _apply_fault(
    fault: Fault, address: ApiPath, target: FaultTarget, normal_response: HttpResponse | None
) -> HttpResponse | None:
    """What the caller gets instead, or None if the fault only took its time."""
    match fault.name:
        case FaultName.SLOW:
            await trio.sleep(fault.effective_delay_s)
            return None
        case FaultName.DROP_REPLY:
            raise ConnectionDropped
        case FaultName.TIMEOUT:
            raise ReplyNeverSent
        case FaultName.OK_WITHOUT_SID:
            name = "SMSMessage" if target in (FaultTarget.SMS, FaultTarget.SMS_DETAILS) else "Call"
            return _response(200, address, response_body(address, {name: {"Status": "queued"}}))
        case FaultName.ERROR_IN_200:
            return _error_response(200, address, RestException(500, "Internal Server Error", 35000))
        case FaultName.MALFORMED_BODY:
            torn = (
                normal_response.body[: len(normal_response.body) // 2]
                if normal_response
                else b"<html><body>Unauthorized"
            )
            return _response(200, address, torn)
    status, message, code = _FAULT_ERRORS[FaultName(fault.name)]
    reply = _error_response(status, address, RestException(status, message, code))
    if fault.retry_after_s is not None:
        reply = replace(reply, headers={**reply.headers, "retry-after": str(fault.retry_after_s)})
    return reply
