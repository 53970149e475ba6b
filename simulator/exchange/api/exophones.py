"""The account's ExoPhones as the API lists them: in v1, in v2_beta, and with a heartbeat in v2.

An ExoPhone's sid is its number as Exotel writes it, `08047120001`; any other spelling finds it too.
What a PUT changes is shown from then on, and changes nothing else: which flow answers a call is the
business of whoever makes people ring.
"""

from __future__ import annotations

from typing import Any

from simulator.exchange.api.known_parameters import EXOPHONE
from simulator.exchange.api.request import ApiAnswer, Request
from simulator.exchange.api.versions import envelope
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import RestException, read_url
from simulator.exchange.model.formats import NumberFormat, format_ist, format_number, parse_number

PAGE_SIZE = 50


def list_v1(exchange: Exchange, _request: Request) -> ApiAnswer:
    numbers = exchange.settings.exophones
    return ApiAnswer({"IncomingPhoneNumbers": [_as_v1(exchange, number) for number in numbers]})


def show_v1(exchange: Exchange, request: Request) -> ApiAnswer:
    return ApiAnswer(_as_v1(exchange, _find_exophone(exchange, request)))


def list_v2_beta(exchange: Exchange, _request: Request) -> ApiAnswer:
    numbers = [_as_v2_beta(exchange, number) for number in exchange.settings.exophones]
    return ApiAnswer({"page": 0, "page_size": PAGE_SIZE, "incoming_phone_numbers": numbers})


def show_v2_beta(exchange: Exchange, request: Request) -> ApiAnswer:
    return ApiAnswer(_as_v2_beta(exchange, _find_exophone(exchange, request)))


def update(exchange: Exchange, request: Request) -> ApiAnswer:
    """PUT: VoiceUrl and SMSUrl name flows, FriendlyName is for people; each is optional."""
    number = _find_exophone(exchange, request)
    for name in ("VoiceUrl", "SMSUrl"):
        read_url(request.form, name)
    given = {name: value for name, value in request.form.items() if name in EXOPHONE}
    exchange.state.exophones.setdefault(number, {}).update(given)
    return ApiAnswer(_as_v2_beta(exchange, number))


def heartbeat(exchange: Exchange, request: Request) -> ApiAnswer:
    """v2: the same with its connectivity, which is always good here."""
    number = _find_exophone(exchange, request)
    state = {"status": "active", "last_check_time": format_ist(exchange.state.now())}
    data = _as_v2_beta(exchange, number) | {
        "connectivity": {"incoming_call": state, "outgoing_call": state},
        "alternate_exophone": None,
    }
    return ApiAnswer(envelope(request.method, exchange.state.new_sid(), 200, data=data))


def _find_exophone(exchange: Exchange, request: Request) -> str:
    number = parse_number(request.last_segment)
    if number is None or number not in exchange.settings.exophones:
        raise RestException(404, f"Not Found: {request.last_segment} is not your ExoPhone.")
    return number


def _as_v1(exchange: Exchange, number: str) -> dict[str, Any]:
    changed = exchange.state.exophones.get(number, {})
    spelled = format_number(number, NumberFormat.ZERO)
    return {
        "IncomingPhoneNumber": {
            "Sid": spelled,
            "AccountSid": exchange.settings.account_sid,
            "PhoneNumber": spelled,
            "FriendlyName": changed.get("FriendlyName", spelled),
            "VoiceUrl": changed.get("VoiceUrl"),
            "SMSUrl": changed.get("SMSUrl"),
        }
    }


def _as_v2_beta(exchange: Exchange, number: str) -> dict[str, Any]:
    changed = exchange.state.exophones.get(number, {})
    spelled = format_number(number, NumberFormat.ZERO)
    return {
        "sid": spelled,
        "phone_number": number,
        "friendly_name": changed.get("FriendlyName", spelled),
        "capabilities": {"voice": True, "sms": True},
        "country": "IN" if number.startswith("+91") else None,
        "region": "KA" if number.startswith("+91") else None,
        "voice_url": changed.get("VoiceUrl"),
        "sms_url": changed.get("SMSUrl"),
    }
