"""`Sms/send` and `Sms/bulksend`: each recipient is texted, and answered for.

    To=a                                    one text, one object
    To=a,b   To[0]=a&To[1]=b   To[]=a&To[]=b   To=a&To=b
                                            one text for several: a list of objects
    Messages[0][To]=a&Messages[0][Body]=…   to each a text of their own: 207 and a list

The list is what the vendor's own server for assistants reads: each item is an `SMSMessage`, or the
`RestException` that this recipient alone would have got. Nobody documents a repeated `To`; with
`last_to_wins` only the last of them counts, as in a form that keeps one value a name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.exchange.api.known_parameters import BULK_MESSAGE_FIELDS
from simulator.exchange.api.request import ApiAnswer, Request
from simulator.exchange.api.response_objects import sms_object
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.api_requests import RestException, SmsRequest, read_sms
from simulator.exchange.webhooks.body_formats import Fields, json_fields

MAX_SMS_PER_REQUEST = 100
"""Recipients or messages of one request."""

_TO_FIELD = re.compile(r"To(\[[0-9]*\])?")
_MESSAGE_FIELD = re.compile(r"(?:Messages?|sms)\[([0-9]{1,9})\]\[(\w+)\]")
_MESSAGE_LIST_NAMES = ("Messages", "Message", "sms")


def send(exchange: Exchange, request: Request) -> ApiAnswer:
    """One text for one recipient or several. Raises Refusal if nobody can be texted."""
    for name in ("From", "Body"):
        if any(given.startswith(f"{name}[") for given in request.form):
            raise RestException(
                400, f"Invalid Parameters: {name} is an array where a string is expected.", 40207
            )
    numbers = list(recipients(request.fields, last_wins=exchange.settings.last_to_wins))
    if len(numbers) > MAX_SMS_PER_REQUEST:
        raise RestException(400, f"Invalid Parameters: more than {MAX_SMS_PER_REQUEST} recipients.", 40406)
    common = {name: value for name, value in request.form.items() if not _TO_FIELD.fullmatch(name)}
    orders = [_read_one(exchange, common | {"To": number}) for number in numbers or [""]]
    refusals = [order for order in orders if isinstance(order, RestException)]
    if len(refusals) == len(orders):
        raise refusals[0]
    items, sids = _send_each(exchange, request, orders)
    if len(items) == 1 and not any(name.startswith("To[") for name in request.form):
        return ApiAnswer(items[0], sids=sids)
    return ApiAnswer(items, 207 if refusals else 200, sids)


def bulksend(exchange: Exchange, request: Request) -> ApiAnswer:
    """To each recipient a text of their own. Raises Refusal for what is no list of messages."""
    if not request.body.strip():
        raise RestException(400, "Invalid Parameters: the body is empty.", 40200)
    messages, common = _messages(request.form)
    if any(name in common for name in _MESSAGE_LIST_NAMES):
        raise RestException(400, "Invalid Parameters: 'Messages' is not an array.", 40208)
    if not messages:
        raise RestException(400, "The 'Messages' parameter is required.", 40201)
    if len(messages) > MAX_SMS_PER_REQUEST:
        raise RestException(400, f"Invalid Parameters: more than {MAX_SMS_PER_REQUEST} messages.", 40400)
    orders = [_read_one(exchange, common | message) for message in messages]
    items, sids = _send_each(exchange, request, orders)
    return ApiAnswer(items, 207, sids)


def bulk_fields(body: bytes) -> Fields:
    """The JSON of `Sms/bulksend` as a form would have it. Raises Refusal."""
    try:
        return json_fields(body) if body.strip() else ()
    except (ValueError, RecursionError):
        raise RestException(400, "Invalid Parameters: the body is not a JSON object.", 40202) from None


def recipients(fields: Fields, *, last_wins: bool) -> Iterator[str]:
    """Whom a request names, in its order, as it spells them; somebody named twice comes twice."""
    last = max((i for i, (name, _) in enumerate(fields) if name == "To"), default=None)
    for i, (name, value) in enumerate(fields):
        if _TO_FIELD.fullmatch(name) and not (last_wins and name == "To" and i != last):
            yield from (number.strip() for number in value.split(",") if number.strip())


def _read_one(exchange: Exchange, fields: Mapping[str, str]) -> SmsRequest | RestException:
    try:
        return read_sms(fields, exchange.settings)
    except RestException as refusal:
        return refusal


def _send_each(
    exchange: Exchange, request: Request, sms_requests: list[SmsRequest | RestException]
) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
    """Send what can be sent; the answer for each order, in their order, and the Sids of the texts."""
    items: list[Mapping[str, Any]] = []
    sids = []
    for order in sms_requests:
        if isinstance(order, RestException):
            items.append(order.as_json())
            continue
        text = exchange.sms.send(order)
        items.append({"SMSMessage": sms_object(text, exchange.settings, as_json=request.as_json)})
        sids.append(text.sid)
    return items, tuple(sids)


def _messages(form: Mapping[str, str]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The messages by their index, and the fields that stand for all of them."""
    messages: defaultdict[int, dict[str, str]] = defaultdict(dict)
    common: dict[str, str] = {}
    for name, value in form.items():
        found = _MESSAGE_FIELD.fullmatch(name)
        if found is None:
            if name not in ("To", "Body"):
                common[name] = value
        elif found[2] in BULK_MESSAGE_FIELDS:
            messages[int(found[1])][found[2]] = value
    return [messages[i] for i in sorted(messages)], common
