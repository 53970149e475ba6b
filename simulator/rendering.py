"""How bodies are written: JSON with escaped slashes, Twilio-style XML, and the three kinds of form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from xml.sax.saxutils import escape

from simulator.posting import OutboundWebhook

URLENCODED = "application/x-www-form-urlencoded"


def json_body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()


def xml_body(value: Mapping[str, Any]) -> bytes:
    inner = "".join(_element(name, one) for name, one in value.items())
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


def with_query(url: str, fields: Mapping[str, str], method: str = "GET") -> OutboundWebhook:
    """A request with `fields` appended to whatever query `url` has: a secret in it must survive."""
    bare, _, fragment = url.partition("#")
    joint = "" if bare.endswith(("?", "&")) else "&" if urlsplit(bare).query else "?"
    query = urlencode(fields, quote_via=quote)
    return OutboundWebhook(method, f"{bare}{joint}{query}" + (f"#{fragment}" if fragment else ""))


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a urlencoded or multipart body; of a repeated one, the last. Names keep their case."""
    if content_type.startswith("multipart/form-data"):
        head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
        message = BytesParser().parsebytes(head + body)
        fields: dict[str, str] = {}
        for part in message.get_payload() if message.is_multipart() else ():
            name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
            raw = part.get_payload(decode=True)  # type: ignore[union-attr]
            if isinstance(name, str) and isinstance(raw, bytes):
                fields[name] = raw.decode("utf-8", "replace")
        return fields
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
