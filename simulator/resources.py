"""What each resource of the API does: one function a resource, found by method and path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.exchange import Exchange
from simulator.faults import Target
from simulator.listing import find_call, list_calls, show_call
from simulator.objects import call_object, number_object, sms_object
from simulator.orders import Refusal, read_connect, read_sms
from simulator.spelling import Spelling, e164, spell

NO_SUCH_SMS = "No matching results"


@dataclass(frozen=True, slots=True)
class Request:
    """An authenticated request. `resource` is the path below the account, without `.json`."""

    method: str
    resource: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    as_json: bool

    @property
    def last(self) -> str:
        return self.resource.rpartition("/")[2]


Content = dict[str, Any] | str
"""An object to be rendered in the asked format, or bare text."""


def target_of(method: str, resource: str) -> Target:
    """What kind of request this is, as faults and budgets count them."""
    if (method, resource) == ("POST", "Calls/connect"):
        return Target.CONNECT
    if (method, resource) == ("POST", "Sms/send"):
        return Target.SMS
    if resource == "Calls":
        return Target.LIST
    if resource.startswith("Calls/"):
        return Target.DETAILS
    if resource.startswith(("SMS/Messages/", "Sms/Messages/")):
        return Target.SMS_DETAILS
    return Target.OTHER


def serve(exchange: Exchange, request: Request, *, is_voice: bool) -> tuple[Content, str | None]:
    """The answer's content and, where the request created something, its Sid. Raises Refusal."""
    at, settings = exchange.world.now(), exchange.settings
    if is_voice and not exchange.voice_limit.takes(at, settings.calls_per_minute):
        raise Refusal(429, "Too Many Requests")
    target = target_of(request.method, request.resource)
    if target is Target.SMS and not exchange.sms_limit.takes(at, settings.sms_per_minute):
        if settings.sms_overload_status == 429:
            raise Refusal(429, "Too Many Requests", 40402)
        raise Refusal(503, "Service Unavailable", 40405)
    if target is Target.CONNECT:
        return _connect(exchange, request)
    if target is Target.SMS:
        return _send(exchange, request)
    for prefix, reads in _READS.items():
        if request.resource == prefix or (prefix.endswith("/") and request.resource.startswith(prefix)):
            if request.method != "GET":
                raise Refusal(405, "Method Not Allowed")
            return reads(exchange, request), None
    if request.resource.startswith(("Sms/", "SMS/")) and request.method == "POST":
        raise Refusal(405, "Method Not Allowed", 40502)
    raise Refusal(404, "Not Found")


def _connect(exchange: Exchange, request: Request) -> tuple[Content, str]:
    world = exchange.world
    order = read_connect(request.form, exchange.settings)
    for number in filter(None, (order.from_number, order.to_number)):
        if world.people.find(number).dnd and world.whitelist_s(number) is None:
            shown = spell(number, Spelling.ZERO)
            raise Refusal(403, f"Call to {shown} cannot be made because of TRAI NDNC regulations")
    channels = exchange.settings.channels
    if not world.channels.have_room(1 if order.to_number is None else 2, channels):
        raise Refusal(
            exchange.settings.channels_full_status,
            f"Too Many Requests: the limit of {channels} concurrent calls of your account is reached.",
        )
    call = exchange.voice.connect(order)
    shown_call = call_object(call, exchange.settings, world.now(), details=False)
    # Right after the request numbers are echoed as they were sent; look-ups spell them with a 0.
    shown_call["From"] = request.form["From"]
    shown_call["To"] = request.form.get("To") or request.form["CallerId"]
    return {"Call": shown_call}, call.sid


def _send(exchange: Exchange, request: Request) -> tuple[Content, str]:
    text = exchange.texting.send(read_sms(request.form, exchange.settings))
    return {"SMSMessage": sms_object(text, exchange.settings, as_json=request.as_json)}, text.sid


def _calls(exchange: Exchange, request: Request) -> Content:
    return list_calls(exchange.world, request.query, request.path)


def _call(exchange: Exchange, request: Request) -> Content:
    row = find_call(exchange.world, request.last)
    if row is None:
        raise Refusal(404, "Not Found")
    return {"Call": show_call(exchange.world, row, details=request.query.get("details") == "true")}


def _message(exchange: Exchange, request: Request) -> Content:
    text = exchange.truth.text(request.last)
    if text is None:
        return NO_SUCH_SMS
    return {"SMSMessage": sms_object(text, exchange.settings, as_json=request.as_json)}


def _number(exchange: Exchange, request: Request) -> Content:
    number = e164(request.last)
    if number is None:
        raise Refusal(404, "Not Found")
    return {"Numbers": number_object(number, is_dnd=exchange.people.find(number).dnd)}


def _exophones(exchange: Exchange, _request: Request) -> Content:
    numbers = [spell(number, Spelling.ZERO) for number in exchange.settings.exophones]
    return {"IncomingPhoneNumbers": [{"IncomingPhoneNumber": {"PhoneNumber": one}} for one in numbers]}


def _whitelist(exchange: Exchange, request: Request) -> Content:
    left_s = exchange.world.whitelist_s(e164(request.last) or "")
    if left_s is None:
        return {"Result": {"Status": "Neutral", "Type": "", "Expiry": -1}}
    return {"Result": {"Status": "Whitelist", "Type": "Customer", "Expiry": left_s}}


_READS: dict[str, Callable[[Exchange, Request], Content]] = {
    "Calls": _calls,
    "Calls/": _call,
    "SMS/Messages/": _message,
    "Sms/Messages/": _message,
    "Numbers/": _number,
    "IncomingPhoneNumbers": _exophones,
    "CustomerWhitelist/": _whitelist,
}
