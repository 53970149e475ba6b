"""The bodies of Exotel's answers: JSON, XML or plain text, reduced to id, code and message.

We ask for JSON. Still an error may come as XML, as HTML from a proxy, or as the bare word `Unauthorized`,
and a 200 may contain an error. Newer services wrap errors in
`{"response": {"error_data": {"code": 1010, "message": "…"}}}`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from missedd.core.phone import mask
from missedd.exotel.webhook_fields import replace_surrogates

MAX_MESSAGE_CHARS = 200
"""The length of a stored message: enough for a sentence, too little for a page of HTML."""

_NUMBER = re.compile(r"\+?[0-9](?:[ \-]?[0-9]){6,}")
_TAG = re.compile(r"<[^<>]*>")
_OBJECTS = ("Call", "SMSMessage")


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """`sid` is the id of the new call or SMS; `code` and `message` describe an error. Each may be empty.

    `message` may be logged: phone numbers in it are masked.
    """

    sid: str = ""
    code: str = ""
    message: str = ""
    is_error: bool = False


def parse_body(raw: bytes) -> ResponseBody:
    """Parse an answer's body. An unreadable body gives only its text as the message."""
    text = raw.decode("utf-8-sig", "replace").strip()
    document = parse_json_object(text)
    if document is not None:
        return _parse_json(document)
    if text.startswith("<"):
        return _parse_xml(text)
    return ResponseBody(message=_loggable(text))


def parse_json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def has_error(document: Mapping[str, Any]) -> bool:
    """Whether an object contains an error, whatever the HTTP status was."""
    return document.get("RestException") is not None or _error_data(document) is not None


def _parse_json(document: Mapping[str, Any]) -> ResponseBody:
    error = document.get("RestException")
    if error is None:
        error = _error_data(document)
    if error is not None:
        inner = error if isinstance(error, Mapping) else {"Message": error}
        return ResponseBody(
            code=_text(inner.get("Code", inner.get("code"))),
            message=_loggable(_text(inner.get("Message", inner.get("message")))),
            is_error=True,
        )
    for name in _OBJECTS:
        made = document.get(name)
        if isinstance(made, Mapping) and isinstance(made.get("Sid"), str):
            return ResponseBody(sid=_text(made["Sid"]))
    return ResponseBody(message=_loggable(_text(document.get("message", document.get("error")))))


def _error_data(document: Mapping[str, Any]) -> object:
    response = document.get("response")
    return response.get("error_data") if isinstance(response, Mapping) else None


def _parse_xml(text: str) -> ResponseBody:
    # Only three flat elements of a bounded text are needed. Without an XML parser there is no XML attack.
    if "<RestException" in text:
        message = _element(text, "Message")
        return ResponseBody(code=_element(text, "Code"), message=_loggable(message), is_error=True)
    if any(f"<{name}" in text for name in _OBJECTS):
        return ResponseBody(sid=_element(text, "Sid"))
    return ResponseBody(message=_loggable(_TAG.sub(" ", text)))


def _element(text: str, name: str) -> str:
    element = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(element[1]).strip() if element else ""


def _text(item: object) -> str:
    return (
        replace_surrogates(str(item)).strip()
        if isinstance(item, str | int) and not isinstance(item, bool)
        else ""
    )


def _loggable(text: str) -> str:
    masked = _NUMBER.sub(lambda found: mask(found[0]), text[: 4 * MAX_MESSAGE_CHARS])
    one_line = " ".join(masked.split())
    return one_line if len(one_line) <= MAX_MESSAGE_CHARS else one_line[: MAX_MESSAGE_CHARS - 1] + "…"
