"""Exotel's REST API over nothing in particular: a request value in, a reply value out.

XML unless the path ends in `.json`; paths and field names are case-sensitive; every accepted POST
has its effect, a repeated one twice. Faults strike here, before the effect or after it. What no
reply can express is raised: a refused or dropped connection, an answer that never comes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

import trio

from simulator.exchange import Exchange
from simulator.facts import ApiRequest
from simulator.faults import Fault, FaultName, Target
from simulator.orders import Refusal
from simulator.rendering import json_body, read_form, xml_body
from simulator.resources import Request, serve, target_of

_PATH = re.compile(r"/v1/Accounts/(?P<account>[^/]*)/(?P<resource>.+)")
_VOICE = (Target.CONNECT, Target.DETAILS, Target.LIST)
_STATUS_OF = {FaultName.HTTP_429: 429, FaultName.HTTP_500: 500, FaultName.HTTP_503: 503}
_MESSAGES = {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class ConnectionRefused(Exception):
    """The connection was never made."""


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


async def respond(exchange: Exchange, call: ApiCall) -> ApiReply:
    """Serve one request, and record in the truth what it asked, did and got.

    Raises ConnectionRefused, ConnectionDropped or NeverAnswers where a fault says so.
    """
    found = _PATH.fullmatch(call.path)
    resource = unquote(found["resource"]) if found else ""
    as_json = resource.endswith(".json")
    target = target_of(call.method, resource.removesuffix(".json"))
    entry = ApiRequest(
        at=exchange.world.now(),
        method=call.method,
        path=call.path,
        query=call.query.decode("latin-1"),
        target=target.value,
        is_voice=target in _VOICE or resource.startswith("Numbers/"),
    )
    fault = exchange.faults.pick(target)
    if fault is not None:
        entry.fault, entry.fault_when = FaultName(fault.name).value, fault.when
    exchange.truth.api_requests.append(entry)

    if fault is not None and fault.name is FaultName.REFUSE_CONNECTION:
        raise ConnectionRefused
    reply: ApiReply | None = None
    if fault is not None and fault.when == "before":
        reply = await _broken(fault, as_json, target, None)
    if reply is None:
        reply = _answer(exchange, call, found["account"] if found else None, resource, entry)
        await trio.sleep(exchange.settings.api_latency_s)
        if fault is not None and fault.when == "after":
            reply = await _broken(fault, as_json, target, reply) or reply
    entry.status = reply.status
    return reply


def _answer(
    exchange: Exchange, call: ApiCall, account: str | None, resource: str, entry: ApiRequest
) -> ApiReply:
    """The honest answer, and its effect. No checkpoint: limit, check and effect are one step."""
    settings = exchange.settings
    as_json = resource.endswith(".json")
    try:
        if account is None:
            raise Refusal(400, "Bad Request: not a path of this API version")
        _authenticate(call.headers, account, settings.api_key, settings.api_token, settings.account_sid)
        request = Request(
            method=call.method,
            resource=resource.removesuffix(".json"),
            path=call.path,
            query=dict(parse_qsl(call.query.decode("latin-1"), keep_blank_values=True)),
            form=read_form(call.headers.get("content-type", ""), call.body),
            as_json=as_json,
        )
        content, entry.sid = serve(exchange, request, is_voice=entry.is_voice)
    except Refusal as refusal:
        reply = _refused(refusal, as_json)
        if refusal.status == 429 and settings.retry_after_s is not None:
            headers = {**reply.headers, "retry-after": str(settings.retry_after_s)}
            reply = replace(reply, headers=headers)
        return reply
    if isinstance(content, str):
        return ApiReply(200, {"content-type": "text/html; charset=UTF-8"}, content.encode())
    return _rendered(200, content, as_json)


def _authenticate(headers: Mapping[str, str], account: str, key: str, token: str, sid: str) -> None:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Refusal(401, "Authentication failed. Verify your API key and token.")
    try:
        given_key, _, given_token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(400, "Malformed API key or token", 34001) from None
    if not (given_key.isalnum() and given_token.isalnum()):
        raise Refusal(400, "Malformed API key or token", 34001)
    if (given_key, given_token) != (key, token):
        raise Refusal(401, "Authentication failed. Verify your API key and token.", 34010)
    if account != sid:
        raise Refusal(403, "Forbidden", 34009)


def _rendered(status: int, content: Mapping[str, Any], as_json: bool) -> ApiReply:
    if as_json:
        return ApiReply(status, {"content-type": "application/json"}, json_body(content))
    return ApiReply(status, {"content-type": "application/xml"}, xml_body(content))


def _refused(refusal: Refusal, as_json: bool) -> ApiReply:
    error: dict[str, Any] = {"Status": refusal.status, "Message": refusal.message}
    if refusal.code is not None:
        error["Code"] = refusal.code
    return _rendered(refusal.status, {"RestException": error}, as_json)


async def _broken(fault: Fault, as_json: bool, target: Target, honest: ApiReply | None) -> ApiReply | None:
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
            return _rendered(200, {name: {"Status": "queued"}}, as_json)
        case FaultName.ERROR_IN_200:
            refusal = _refused(Refusal(500, "Internal Server Error", 35000), as_json)
            return replace(refusal, status=200)
        case FaultName.MALFORMED_BODY:
            torn = honest.body[: len(honest.body) // 2] if honest else b"<html><body>Unauthorized"
            content_type = "application/json" if as_json else "application/xml"
            return ApiReply(200, {"content-type": content_type}, torn)
    status = _STATUS_OF[FaultName(fault.name)]
    reply = _refused(Refusal(status, _MESSAGES[status]), as_json)
    if fault.retry_after_s is not None:
        reply = replace(reply, headers={**reply.headers, "retry-after": str(fault.retry_after_s)})
    return reply
