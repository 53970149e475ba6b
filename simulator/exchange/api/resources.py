"""What each resource of the API does: found by version, method and path, with the names it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.exchange.api import customer_whitelist, exophones, known_parameters, sms_send
from simulator.exchange.api.call_list import find_call, list_calls, show_call
from simulator.exchange.api.known_parameters import NONE
from simulator.exchange.api.request import Answer, Request
from simulator.exchange.api.response_objects import call_object, number_object, sms_object
from simulator.exchange.api.versions import Address, Version, not_simulated
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import Refusal, read_connect
from simulator.exchange.model.faults import Target
from simulator.exchange.model.formats import Spelling, e164, spell
from simulator.exchange.model.records import ApiRequest

NO_SUCH_SMS = "No matching results"


@dataclass(frozen=True, slots=True)
class Resource:
    """`path` is that below the account; a `*` stands for one segment. `query` and `form`: known names."""

    method: str
    path: str
    answer: Callable[[Exchange, Request], Answer]
    query: frozenset[str] = NONE
    form: frozenset[str] = NONE

    def is_at(self, path: str) -> bool:
        ours, theirs = self.path.split("/"), path.split("/")
        return len(ours) == len(theirs) and all(
            our == their or (our == "*" and their != "") for our, their in zip(ours, theirs, strict=True)
        )


def target_of(method: str, address: Address) -> Target:
    """What kind of request this is, as faults and budgets count them."""
    resource = address.resource
    if address.version is not Version.V1:
        return Target.OTHER
    if (method, resource) == ("POST", "Calls/connect"):
        return Target.CONNECT
    if method == "POST" and resource in ("Sms/send", "Sms/bulksend"):
        return Target.SMS
    if resource == "Calls":
        return Target.LIST
    if resource.startswith("Calls/"):
        return Target.DETAILS
    if resource.startswith(("SMS/Messages/", "Sms/Messages/")):
        return Target.SMS_DETAILS
    return Target.OTHER


def counts_as_voice(target: Target, address: Address) -> bool:
    is_number = address.version is Version.V1 and address.resource.startswith("Numbers/")
    return is_number or target in (Target.CONNECT, Target.DETAILS, Target.LIST)


def serve(exchange: Exchange, request: Request, address: Address, entry: ApiRequest) -> Answer:
    """Answer the request; `entry` learns what of it nobody read. Raises Refusal."""
    at, settings = exchange.world.now(), exchange.settings
    if entry.is_voice and not exchange.voice_limit.takes(at, settings.calls_per_minute):
        raise Refusal(429, "Too Many Requests")
    if entry.target == Target.SMS and not exchange.sms_limit.takes(at, settings.sms_per_minute):
        if settings.sms_overload_status == 429:
            raise Refusal(429, "Too Many Requests", 40402)
        raise Refusal(503, "Service Unavailable", 40405)
    resource = _find(request, address)
    entry.ignored += known_parameters.unread(request.query, resource.query)
    entry.ignored += known_parameters.unread((name for name, _ in request.fields), resource.form)
    return resource.answer(exchange, request)


def _find(request: Request, address: Address) -> Resource:
    there = [each for each in _RESOURCES.get(address.version, ()) if each.is_at(request.resource)]
    for resource in there:
        if resource.method == request.method:
            return resource
    if there:
        raise not_simulated(address, request.method, 405)
    if request.resource.startswith(("Sms/", "SMS/")) and request.method == "POST":
        raise not_simulated(address, request.method, 405, 40502)
    raise not_simulated(address, request.method)


def _connect(exchange: Exchange, request: Request) -> Answer:
    world = exchange.world
    order = read_connect(request.form, exchange.settings)
    for number in filter(None, (order.from_number, order.to_number)):
        if world.people.find(number).dnd and world.whitelisted(number) is None:
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
    shown_call["From"] = order.fields["From"]
    shown_call["To"] = order.fields.get("To") or order.fields["CallerId"]
    return Answer({"Call": shown_call}, sids=(call.sid,))


def _calls(exchange: Exchange, request: Request) -> Answer:
    return Answer(list_calls(exchange.world, request.query, request.path))


def _call(exchange: Exchange, request: Request) -> Answer:
    row = find_call(exchange.world, request.last)
    if row is None:
        raise Refusal(404, "Not Found")
    return Answer({"Call": show_call(exchange.world, row, request.query)})


def _message(exchange: Exchange, request: Request) -> Answer:
    text = exchange.truth.text(request.last)
    if text is None:
        return Answer(NO_SUCH_SMS)
    return Answer({"SMSMessage": sms_object(text, exchange.settings, as_json=request.as_json)})


def _number(exchange: Exchange, request: Request) -> Answer:
    number = e164(request.last)
    if number is None:
        raise Refusal(404, "Not Found")
    return Answer({"Numbers": number_object(number, is_dnd=exchange.people.find(number).dnd)})


_RESOURCES: dict[Version | None, tuple[Resource, ...]] = {
    Version.V1: (
        Resource("POST", "Calls/connect", _connect, known_parameters.CONNECT_QUERY, known_parameters.CONNECT),
        Resource("GET", "Calls", _calls, known_parameters.CALLS),
        Resource("GET", "Calls/*", _call, known_parameters.CALL),
        Resource("POST", "Sms/send", sms_send.send, form=known_parameters.SMS),
        Resource("POST", "Sms/bulksend", sms_send.bulksend, form=known_parameters.BULK_SMS),
        Resource("GET", "SMS/Messages/*", _message),
        Resource("GET", "Sms/Messages/*", _message),
        Resource("GET", "Numbers/*", _number),
        Resource("GET", "IncomingPhoneNumbers", exophones.list_v1),
        Resource("GET", "IncomingPhoneNumbers/*", exophones.show_v1),
        Resource(
            *("POST", "CustomerWhitelist", customer_whitelist.add),
            query=known_parameters.WHITELIST,
            form=known_parameters.WHITELIST,
        ),
        Resource("GET", "CustomerWhitelist/*", customer_whitelist.show),
    ),
    Version.V2_BETA: (
        Resource("GET", "IncomingPhoneNumbers", exophones.list_v2_beta),
        Resource("GET", "IncomingPhoneNumbers/*", exophones.show_v2_beta),
        Resource("PUT", "IncomingPhoneNumbers/*", exophones.change, form=known_parameters.EXOPHONE),
    ),
    Version.V2: (Resource("GET", "incoming-phone-numbers/*", exophones.heartbeat),),
}
