"""How bodies are written and read: JSON with escaped slashes, Twilio-style XML, three kinds of form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.sax.saxutils import escape

from simulator.exchange.webhooks.request import OutboundWebhook

URLENCODED = "application/x-www-form-urlencoded"

Content = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""An object, or several: a list in JSON, and one element behind the other in XML."""

Fields = Sequence[tuple[str, str]]
"""A form as it came: names keep their case, and may be repeated."""


def json_body(value: Content) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()


def xml_body(value: Content) -> bytes:
    objects = [value] if isinstance(value, Mapping) else value
    inner = "".join(_element(name, one) for each in objects for name, one in each.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<TwilioResponse>{inner}</TwilioResponse>'.encode()


def _element(name: str, value: Any) -> str:
    """One element; null is an empty one, and an item of a list is named like the list, less its `s`."""
    if value is None:
        return f"<{name}></{name}>"
    if isinstance(value, Mapping):
        inner = "".join(_element(key, one) for key, one in value.items())
    elif isinstance(value, list):
        inner = "".join(_item(name.removesuffix("s"), one) for one in value)
    else:
        # Newlines become character references, as seen in an answer of 2023.
        inner = escape(str(value), {"\n": "&#xA;"})
    return f"<{name}>{inner}</{name}>"


def _item(name: str, value: Any) -> str:
    is_named = isinstance(value, Mapping) and list(value) == [name]
    return _element(name, value[name] if is_named else value)


def json_post(url: str, value: Mapping[str, Any]) -> OutboundWebhook:
    return OutboundWebhook("POST", url, {"content-type": "application/json"}, json_body(value))


def form_post(url: str, fields: Mapping[str, str], safe: str = "") -> OutboundWebhook:
    """An urlencoded form; characters of `safe` are left raw where a proper one would encode them."""
    return OutboundWebhook("POST", url, {"content-type": URLENCODED}, urlencode(fields, safe=safe).encode())


def multipart_post(url: str, fields: Mapping[str, str], boundary: str) -> OutboundWebhook:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join(parts) + f"--{boundary}--\r\n"
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return OutboundWebhook("POST", url, headers, body.encode())


def request_with_query(url: str, fields: Mapping[str, str], method: str = "GET") -> OutboundWebhook:
    """A request with `fields` appended to whatever query `url` has: a secret in it must survive.

    A blank is a `+`, as captured requests have it.
    """
    bare, _, fragment = url.partition("#")
    joint = "" if bare.endswith(("?", "&")) else "&" if urlsplit(bare).query else "?"
    query = urlencode(fields)
    return OutboundWebhook(method, f"{bare}{joint}{query}" + (f"#{fragment}" if fragment else ""))


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """The same as `read_fields`, by name."""
    return fields_by_name(read_fields(content_type, body))


def fields_by_name(fields: Fields) -> dict[str, str]:
    """Of a repeated name the last value; but a repeated `To[]` is a list, whose next item is `To[1]`."""
    form: dict[str, str] = {}
    for name, value in fields:
        if name.endswith("[]") and name in form:
            i = 1
            while (indexed := f"{name[:-2]}[{i}]") in form:
                i += 1
            form[indexed] = value
        else:
            form[name] = value
    return form


def read_fields(content_type: str, body: bytes) -> Fields:
    """The fields of a urlencoded or multipart body, in its order; none of one in JSON."""
    if content_type.startswith("application/json"):
        return ()
    if content_type.startswith("multipart/form-data"):
        return tuple(_multipart_fields(content_type, body))
    return tuple(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _multipart_fields(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    message = BytesParser().parsebytes(head + body)
    for part in message.get_payload() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        raw = part.get_payload(decode=True)  # type: ignore[union-attr]
        if isinstance(name, str) and isinstance(raw, bytes):
            yield name, raw.decode("utf-8", "replace")


def json_fields(body: bytes) -> Fields:
    """A JSON object as the form would have it: `{"sms": [{"To": "1"}]}` is `sms[0][To]=1`.

    Raises ValueError for what is no JSON object.
    """
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return tuple(pair for name, one in value.items() for pair in _flatten(name, one))


def _flatten(name: str, value: Any) -> Iterator[tuple[str, str]]:
    inner = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, one in inner:
        yield from _flatten(f"{name}[{key}]", one)
    if not isinstance(value, list | dict):
        yield name, "" if value is None else str(value)
