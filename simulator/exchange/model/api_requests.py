"""What a customer may ask of the API: forms read into orders, or refused with Exotel's errors.

Field names are case-sensitive: `from` is no `From`, and a request that has only that is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.exchange.model.formats import parse_number
from simulator.exchange.model.settings import ExchangeSettings

TIME_LIMIT_S = 14_400
RING_TIMEOUT_MAX_S = 60
MAX_RETRIES = 3
"""What Exotel does about an unanswered first leg unless it is told otherwise."""
CUSTOM_FIELD_MAX = 128
BODY_MAX = 2_000
SMS_TYPES = ("transactional", "transactional_opt_in", "promotional")
ENCODINGS = ("plain", "unicode")
EVENTS = ("terminal", "answered")


class RestException(Exception):
    """A `RestException`: an HTTP status, a message for people, and sometimes a code."""

    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.message, self.code = status, message, code

    def as_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"Status": self.status, "Message": self.message}
        if self.code is not None:
            error["Code"] = self.code
        return {"RestException": error}


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """A call to make. Exactly one of `to_number` and `flow_url` says what leg 1 is joined to."""

    from_number: str
    to_number: str | None
    flow_url: str | None
    caller_id: str
    ring_timeout_s: float
    time_limit_s: float
    max_retries: int
    wants_recording: bool
    custom_field: str
    status_callback: str | None
    events: tuple[str, ...]
    """Events subscribed to; they only mean something between two numbers."""
    as_json: bool
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SmsRequest:
    number: str
    sender: str
    body: str
    sms_type: str
    entity_id: str
    template_id: str
    custom_field: str
    status_callback: str | None
    as_json: bool
    fields: Mapping[str, str]


def read_connect(fields: Mapping[str, str], settings: ExchangeSettings) -> ConnectRequest:
    """Raises Refusal (400) for what is missing or malformed, and for a CallerId that is no ExoPhone; (403)
    for one that may not call."""
    require(fields, "From")
    require(fields, "CallerId")
    to, url = fields.get("To", ""), fields.get("Url", "")
    if not to and not url:
        raise RestException(400, "Bad or missing parameters: one of 'To' and 'Url' is required.")
    caller_id = _require_number(fields, "CallerId")
    if caller_id not in settings.exophones:
        raise RestException(
            400, f"Bad or missing parameters: CallerId {fields['CallerId']} is not your ExoPhone."
        )
    if caller_id in settings.forbidden_caller_ids:
        raise RestException(403, "Forbidden", 34009)
    if len(fields.get("CustomField", "")) > CUSTOM_FIELD_MAX:
        raise RestException(
            400, f"Bad or missing parameters: CustomField exceeds {CUSTOM_FIELD_MAX} characters."
        )
    return ConnectRequest(
        from_number=_require_number(fields, "From"),
        to_number=_require_number(fields, "To") if to else None,
        flow_url=None if to else read_url(fields, "Url"),
        caller_id=caller_id,
        ring_timeout_s=min(
            _whole_number(fields, "TimeOut", int(settings.ring_timeout_s)), RING_TIMEOUT_MAX_S
        ),
        time_limit_s=min(_whole_number(fields, "TimeLimit", TIME_LIMIT_S), TIME_LIMIT_S),
        max_retries=_whole_number(fields, "MaxRetries", MAX_RETRIES),
        wants_recording=fields.get("Record", "true").lower() != "false",
        custom_field=fields.get("CustomField", ""),
        status_callback=read_url(fields, "StatusCallback"),
        events=_events(fields),
        as_json=_wants_json(fields),
        fields=dict(fields),
    )


def read_sms(fields: Mapping[str, str], settings: ExchangeSettings) -> SmsRequest:
    """A text to one recipient. Raises Refusal (400) with the SMS API's codes.

    Whether the text is a registered one is checked later, on its way.
    """
    if "From" not in fields:
        raise RestException(400, "The 'From' parameter is required.", 40210)
    if not fields["From"]:
        raise RestException(400, "The 'From' parameter is empty.", 40205)
    require(fields, "To")
    require(fields, "Body", 40200)
    if len(fields["Body"]) > BODY_MAX:
        raise RestException(400, f"Invalid Parameters: Body exceeds {BODY_MAX} characters.", 40500)
    number = parse_number(fields["To"])
    if number is None:
        raise RestException(400, f"Invalid Recipient [{fields['To']}]", 40203)
    sms_type = fields.get("SmsType", "transactional")
    if sms_type not in SMS_TYPES:
        raise RestException(400, "Invalid Parameters: SmsType", 40204)
    if fields.get("EncodingType", ENCODINGS[0]) not in ENCODINGS:
        raise RestException(400, "Invalid Parameters: EncodingType", 40209)
    sender = fields["From"]
    if settings.senders:
        if sender not in settings.senders and parse_number(sender) not in settings.exophones:
            raise RestException(400, f"Invalid Parameters: sender {sender} is not linked to your account.")
        if (sms_type == "promotional") == sender.isalpha():
            raise RestException(400, f"Invalid Parameters: sender {sender} does not fit {sms_type}.", 40206)
    return SmsRequest(
        number=number,
        sender=sender,
        body=fields["Body"],
        sms_type=sms_type,
        entity_id=fields.get("DltEntityId", ""),
        template_id=fields.get("DltTemplateId", ""),
        custom_field=fields.get("CustomField", ""),
        status_callback=read_url(fields, "StatusCallback"),
        as_json=_wants_json(fields),
        fields=dict(fields),
    )


def require(fields: Mapping[str, str], name: str, code: int | None = None) -> str:
    """The field's value. Raises Refusal where it is missing or empty."""
    value = fields.get(name)
    if not value:
        raise RestException(400, f"The '{name}' parameter is required.", code)
    return value


def _events(fields: Mapping[str, str]) -> tuple[str, ...]:
    events = {name: value for name, value in fields.items() if name.startswith("StatusCallbackEvents[")}
    for name, value in events.items():
        if value not in EVENTS:
            raise RestException(400, f"Bad or missing parameters: {name} is one of {', '.join(EVENTS)}.")
    return tuple(events.values())


def _require_number(fields: Mapping[str, str], name: str) -> str:
    number = parse_number(fields[name])
    if number is None:
        raise RestException(400, f"Bad or missing parameters: {name}")
    return number


def read_url(fields: Mapping[str, str], name: str) -> str | None:
    url = fields.get(name) or None
    if url is not None and not url.startswith(("http://", "https://")):
        raise RestException(400, f"Bad or missing parameters: {name} is not a URL.")
    return url


def _whole_number(fields: Mapping[str, str], name: str, default: int) -> int:
    text = fields.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RestException(400, f"Bad or missing parameters: {name}")
    return int(text)


def _wants_json(fields: Mapping[str, str]) -> bool:
    return fields.get("StatusCallbackContentType", "") == "application/json"
