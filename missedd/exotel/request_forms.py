"""Builds the forms of our requests to Exotel, field by field.

    POST /v1/Accounts/<sid>/Calls/connect.json     From=…&CallerId=…&Url=…&CallType=trans&TimeOut=30…
    POST /v1/Accounts/<sid>/Sms/send.json          From=EXAMPL&To=…&Body=…&DltEntityId=…&SmsType=…

Names are TitleCase and case-sensitive. A repr shows no number and no URL, as our URLs contain a token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from missedd.core.policy import MessageClass
from missedd.core.sms.segments import count_segments

FLOW_URL = "http://my.exotel.com/{account_sid}/exoml/start_voice/{flow}"
"""Exotel's name for a flow. It is only a name: nobody opens it as a URL, so plain http is safe."""

MAX_RING_S = 60
MAX_CALL_S = 14_400
MAX_CUSTOM_FIELD_CHARS = 128
"""Exotel's own limits on `TimeOut`, `TimeLimit` and `CustomField`."""

_SMS_TYPES = {
    MessageClass.PROMOTIONAL: "promotional",
    # Exotel has no word for this class between the two. DLT recognises it by the template.
    MessageClass.SERVICE: "transactional",
    MessageClass.TRANSACTIONAL: "transactional",
}


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """Ring `from_number`, then connect it to `to_number` or to `flow`: exactly one of the two.

    `flow` is the id that App Bazaar shows, or a whole URL. Numbers are E.164. Durations are in seconds, and
    are cut to Exotel's limits. Raises `ValueError` if both targets or none are given.
    """

    from_number: str = field(repr=False)
    caller_id: str = field(repr=False)
    to_number: str | None = field(default=None, repr=False)
    flow: str | None = None
    ring_timeout_s: float = 30.0
    time_limit_s: float | None = None
    status_callback: str | None = field(default=None, repr=False)
    custom_field: str | None = None

    def __post_init__(self) -> None:
        if (self.to_number is None) == (self.flow is None):
            raise ValueError("a call needs either to_number or flow")
        _check_custom_field(self.custom_field)


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One SMS to one number (E.164), with the ids that India's DLT rules require."""

    sender: str
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    dlt_entity_id: str | None = None
    dlt_template_id: str | None = None
    sms_type: MessageClass = MessageClass.SERVICE
    status_callback: str | None = field(default=None, repr=False)
    custom_field: str | None = None

    def __post_init__(self) -> None:
        _check_custom_field(self.custom_field)


def call_form(call: OutgoingCall, account_sid: str) -> dict[str, str]:
    """The fields of `Calls/connect`."""
    form = {
        "From": call.from_number,
        "CallerId": call.caller_id,
        "CallType": "trans",
        "TimeOut": _whole_seconds(call.ring_timeout_s, MAX_RING_S),
        # By default Exotel dials the first leg again, three times. We retry ourselves, so that each try
        # counts against the caller's limit and no phone rings after an answer.
        "MaxRetries": "0",
    }
    if call.flow is not None:
        form["Url"] = _flow_url(call.flow, account_sid)
    else:
        form["To"] = call.to_number or ""
    if call.time_limit_s is not None:
        form["TimeLimit"] = _whole_seconds(call.time_limit_s, MAX_CALL_S)
    if call.status_callback is not None:
        form["StatusCallback"] = call.status_callback
        if call.flow is None:
            # Only these reports contain the legs, which show who answered. A flow has no such report.
            form["StatusCallbackEvents[0]"] = "terminal"
            form["StatusCallbackContentType"] = "application/json"
    if call.custom_field is not None:
        form["CustomField"] = call.custom_field
    return form


def sms_form(sms: OutgoingSms) -> dict[str, str]:
    """The fields of `Sms/send`."""
    form = {
        "From": sms.sender,
        "To": sms.to_number,
        "Body": sms.body,
        # Given, not detected by Exotel, so that the bill has the parts that we counted.
        "EncodingType": count_segments(sms.body).encoding,
        "SmsType": _SMS_TYPES[sms.sms_type],
        "DltEntityId": sms.dlt_entity_id,
        "DltTemplateId": sms.dlt_template_id,
        "StatusCallback": sms.status_callback,
        "CustomField": sms.custom_field,
    }
    return {name: text for name, text in form.items() if text is not None}


def _flow_url(flow: str, account_sid: str) -> str:
    if flow.startswith(("http://", "https://")):
        return flow
    return FLOW_URL.format(account_sid=account_sid, flow=flow)


def _whole_seconds(duration_s: float, limit_s: int) -> str:
    return str(max(1, min(math.ceil(duration_s), limit_s)))


def _check_custom_field(text: str | None) -> None:
    if text is not None and len(text) > MAX_CUSTOM_FIELD_CHARS:
        raise ValueError(f"a custom field has {MAX_CUSTOM_FIELD_CHARS} characters at most")
