"""The account's ExoPhones as the API lists them: in v1, in v2_beta, and with a heartbeat in v2.

An ExoPhone's sid is its number as Exotel writes it, `08047120001`; any other spelling finds it too.
What a PUT changes is shown from then on, and changes nothing else: which flow answers a call is the
business of whoever makes people ring.
"""

from __future__ import annotations

from typing import Any

from simulator.exchange.api.known_parameters import EXOPHONE
from simulator.exchange.api.request import Answer, Request
from simulator.exchange.api.versions import envelope
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import Refusal, read_url
from simulator.exchange.model.formats import Spelling, e164, ist_text, spell

PAGE_SIZE = 50


def list_v1(exchange: Exchange, _request: Request) -> Answer:
    numbers = exchange.settings.exophones
    return Answer({"IncomingPhoneNumbers": [_in_v1(exchange, number) for number in numbers]})


def show_v1(exchange: Exchange, request: Request) -> Answer:
    return Answer(_in_v1(exchange, _find(exchange, request)))


def list_v2_beta(exchange: Exchange, _request: Request) -> Answer:
    numbers = [_in_v2_beta(exchange, number) for number in exchange.settings.exophones]
    return Answer({"page": 0, "page_size": PAGE_SIZE, "incoming_phone_numbers": numbers})


def show_v2_beta(exchange: Exchange, request: Request) -> Answer:
    return Answer(_in_v2_beta(exchange, _find(exchange, request)))


def change(exchange: Exchange, request: Request) -> Answer:
    """PUT: VoiceUrl and SMSUrl name flows, FriendlyName is for people; each is optional."""
    number = _find(exchange, request)
    for name in ("VoiceUrl", "SMSUrl"):
        read_url(request.form, name)
    given = {name: value for name, value in request.form.items() if name in EXOPHONE}
    exchange.world.exophones.setdefault(number, {}).update(given)
    return Answer(_in_v2_beta(exchange, number))


def heartbeat(exchange: Exchange, request: Request) -> Answer:
    """v2: the same with its connectivity, which is always good here."""
    number = _find(exchange, request)
    state = {"status": "active", "last_check_time": ist_text(exchange.world.now())}
    data = _in_v2_beta(exchange, number) | {
        "connectivity": {"incoming_call": state, "outgoing_call": state},
        "alternate_exophone": None,
    }
    return Answer(envelope(request.method, exchange.world.new_sid(), 200, data=data))


def _find(exchange: Exchange, request: Request) -> str:
    number = e164(request.last)
    if number is None or number not in exchange.settings.exophones:
        raise Refusal(404, f"Not Found: {request.last} is not your ExoPhone.")
    return number


def _in_v1(exchange: Exchange, number: str) -> dict[str, Any]:
    changed = exchange.world.exophones.get(number, {})
    spelled = spell(number, Spelling.ZERO)
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


def _in_v2_beta(exchange: Exchange, number: str) -> dict[str, Any]:
    changed = exchange.world.exophones.get(number, {})
    spelled = spell(number, Spelling.ZERO)
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
