"""The bodies of Exotel's answers: JSON, XML or plain text, read for what decides.

JSON is asked for, but an error may come as XML, from a proxy as HTML, or as the bare word
`Unauthorized`; a 200 may carry an error. Newer services wrap theirs in
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
"""Of a message that is kept: enough for a sentence, too little for a page of HTML."""

_NUMBER = re.compile(r"\+?[0-9](?:[ \-]?[0-9]){6,}")
_TAG = re.compile(r"<[^<>]*>")
_OBJECTS = ("Call", "SMSMessage")


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """`sid` names the call or SMS made, `code` and `message` an error; each may be empty.

    `message` is fit for logs: phone numbers in it are masked.
    """

    sid: str = ""
    code: str = ""
    message: str = ""
    is_error: bool = False


def parse_body(raw: bytes) -> ResponseBody:
    """What an answer's body says; an unreadable one says only its text."""
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
    """Whether an object carries an error, whatever the HTTP status said."""
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
    # Three flat elements out of a bounded text: no parser, and so none of XML's traps.
    if "<RestException" in text:
        message = _element(text, "Message")
        return ResponseBody(code=_element(text, "Code"), message=_loggable(message), is_error=True)
    if any(f"<{name}" in text for name in _OBJECTS):
        return ResponseBody(sid=_element(text, "Sid"))
    return ResponseBody(message=_loggable(_TAG.sub(" ", text)))


def _element(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(found[1]).strip() if found else ""


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
