"""What each resource of the API does: found by version, method and path, with the names it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.exchange.api import customer_whitelist, exophones, known_parameters, sms_send
from simulator.exchange.api.call_list import find_call, list_calls, show_call
from simulator.exchange.api.known_parameters import NO_PARAMETERS
from simulator.exchange.api.request import ApiAnswer, Request
from simulator.exchange.api.response_objects import call_object, number_object, sms_object
from simulator.exchange.api.versions import ApiPath, ApiVersion, not_simulated_error
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import RestException, read_connect
from simulator.exchange.model.faults import FaultTarget
from simulator.exchange.model.formats import NumberFormat, format_number, parse_number
from simulator.exchange.model.records import ApiRequest

NO_SUCH_SMS = "No matching results"


@dataclass(frozen=True, slots=True)
class ApiResource:
    """`path` is that below the account; a `*` stands for one segment. `query` and `form`: known names."""

    method: str
    path: str
    answer: Callable[[Exchange, Request], ApiAnswer]
    query: frozenset[str] = NO_PARAMETERS
    form: frozenset[str] = NO_PARAMETERS

    def matches_path(self, path: str) -> bool:
        ours, theirs = self.path.split("/"), path.split("/")
        return len(ours) == len(theirs) and all(
            our == their or (our == "*" and their != "") for our, their in zip(ours, theirs, strict=True)
        )


def fault_target(method: str, address: ApiPath) -> FaultTarget:
    """What kind of request this is, as faults and budgets count them."""
    resource = address.resource
    if address.version is not ApiVersion.V1:
        return FaultTarget.OTHER
    if (method, resource) == ("POST", "Calls/connect"):
        return FaultTarget.CONNECT
    if method == "POST" and resource in ("Sms/send", "Sms/bulksend"):
        return FaultTarget.SMS
    if resource == "Calls":
        return FaultTarget.LIST
    if resource.startswith("Calls/"):
        return FaultTarget.DETAILS
    if resource.startswith(("SMS/Messages/", "Sms/Messages/")):
        return FaultTarget.SMS_DETAILS
    return FaultTarget.OTHER


def is_voice_request(target: FaultTarget, address: ApiPath) -> bool:
    is_number = address.version is ApiVersion.V1 and address.resource.startswith("Numbers/")
    return is_number or target in (FaultTarget.CONNECT, FaultTarget.DETAILS, FaultTarget.LIST)


def answer_request(exchange: Exchange, request: Request, address: ApiPath, record: ApiRequest) -> ApiAnswer:
    """Answer the request; `record` learns what of it nobody read. Raises Refusal."""
    at, settings = exchange.state.now(), exchange.settings
    if record.is_voice and not exchange.voice_limit.allow(at, settings.calls_per_minute):
        raise RestException(429, "Too Many Requests")
    if record.target == FaultTarget.SMS and not exchange.sms_limit.allow(at, settings.sms_per_minute):
        if settings.sms_overload_status == 429:
            raise RestException(429, "Too Many Requests", 40402)
        raise RestException(503, "Service Unavailable", 40405)
    resource = _find_resource(request, address)
    record.ignored += known_parameters.unknown_names(request.query, resource.query)
    record.ignored += known_parameters.unknown_names((name for name, _ in request.fields), resource.form)
    return resource.answer(exchange, request)


def _find_resource(request: Request, address: ApiPath) -> ApiResource:
    there = [each for each in _RESOURCES.get(address.version, ()) if each.matches_path(request.resource)]
    for resource in there:
        if resource.method == request.method:
            return resource
    if there:
        raise not_simulated_error(address, request.method, 405)
    if request.resource.startswith(("Sms/", "SMS/")) and request.method == "POST":
        raise not_simulated_error(address, request.method, 405, 40502)
    raise not_simulated_error(address, request.method)


def _connect(exchange: Exchange, request: Request) -> ApiAnswer:
    world = exchange.state
    order = read_connect(request.form, exchange.settings)
    for number in filter(None, (order.from_number, order.to_number)):
        if world.people.find(number).dnd and world.whitelist_entry(number) is None:
            shown = format_number(number, NumberFormat.ZERO)
            raise RestException(403, f"Call to {shown} cannot be made because of TRAI NDNC regulations")
    channels = exchange.settings.channels
    if not world.channels.has_free(1 if order.to_number is None else 2, channels):
        raise RestException(
            exchange.settings.channels_full_status,
            f"Too Many Requests: the limit of {channels} concurrent calls of your account is reached.",
        )
    call = exchange.voice.connect(order)
    shown_call = call_object(call, exchange.settings, world.now(), details=False)
    # Right after the request numbers are echoed as they were sent; look-ups spell them with a 0.
    shown_call["From"] = order.fields["From"]
    shown_call["To"] = order.fields.get("To") or order.fields["CallerId"]
    return ApiAnswer({"Call": shown_call}, sids=(call.sid,))


def _list_calls(exchange: Exchange, request: Request) -> ApiAnswer:
    return ApiAnswer(list_calls(exchange.state, request.query, request.path))


def _show_call(exchange: Exchange, request: Request) -> ApiAnswer:
    row = find_call(exchange.state, request.last_segment)
    if row is None:
        raise RestException(404, "Not Found")
    return ApiAnswer({"Call": show_call(exchange.state, row, request.query)})


def _show_sms(exchange: Exchange, request: Request) -> ApiAnswer:
    text = exchange.ground_truth.text(request.last_segment)
    if text is None:
        return ApiAnswer(NO_SUCH_SMS)
    return ApiAnswer({"SMSMessage": sms_object(text, exchange.settings, as_json=request.as_json)})


def _show_number(exchange: Exchange, request: Request) -> ApiAnswer:
    number = parse_number(request.last_segment)
    if number is None:
        raise RestException(404, "Not Found")
    return ApiAnswer({"Numbers": number_object(number, is_dnd=exchange.people.find(number).dnd)})


_RESOURCES: dict[ApiVersion | None, tuple[ApiResource, ...]] = {
    ApiVersion.V1: (
        ApiResource(
            "POST", "Calls/connect", _connect, known_parameters.CONNECT_QUERY, known_parameters.CONNECT
        ),
        ApiResource("GET", "Calls", _list_calls, known_parameters.CALLS),
        ApiResource("GET", "Calls/*", _show_call, known_parameters.CALL),
        ApiResource("POST", "Sms/send", sms_send.send, form=known_parameters.SMS),
        ApiResource("POST", "Sms/bulksend", sms_send.bulksend, form=known_parameters.BULK_SMS),
        ApiResource("GET", "SMS/Messages/*", _show_sms),
        ApiResource("GET", "Sms/Messages/*", _show_sms),
        ApiResource("GET", "Numbers/*", _show_number),
        ApiResource("GET", "IncomingPhoneNumbers", exophones.list_v1),
        ApiResource("GET", "IncomingPhoneNumbers/*", exophones.show_v1),
        ApiResource(
            *("POST", "CustomerWhitelist", customer_whitelist.add),
            query=known_parameters.WHITELIST,
            form=known_parameters.WHITELIST,
        ),
        ApiResource("GET", "CustomerWhitelist/*", customer_whitelist.show),
    ),
    ApiVersion.V2_BETA: (
        ApiResource("GET", "IncomingPhoneNumbers", exophones.list_v2_beta),
        ApiResource("GET", "IncomingPhoneNumbers/*", exophones.show_v2_beta),
        ApiResource("PUT", "IncomingPhoneNumbers/*", exophones.update, form=known_parameters.EXOPHONE),
    ),
    ApiVersion.V2: (ApiResource("GET", "incoming-phone-numbers/*", exophones.heartbeat),),
}
