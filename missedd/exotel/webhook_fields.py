"""A request's query and body as flat fields, in any of Exotel's encodings.

    urlencoded   CallSid=abc123&From=+919876543210&Status=missed-call      (a raw + becomes a space)
    multipart    a part a field: the default of Exotel's status reports
    JSON         {"CallSid": "…", "Legs": [{"Status": "busy"}]}  ->  Legs[0][Status] = busy

Names and values stay as they came; `first_word` and `first_value` read them leniently. If a name occurs
twice, the body wins over the query, and the first over the second. Bytes that are not UTF-8 become U+FFFD.
`read_fields` does not raise: an unreadable request is a `RequestRejection`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from missedd.exotel.multipart import MalformedBody, parse_multipart
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest

MAX_FIELDS = 100
"""A Passthru has 27 fields and 7 more for each leg. With five legs and our own fields that is below 70."""

MAX_KEY_BYTES = 200
"""The longest known key, a URL-shortening option in brackets, has 38."""

MAX_VALUE_BYTES = 4 * 1024
"""The longest known value is a presigned recording URL: 1 to 2 KiB."""

MAX_BODY_BYTES = 64 * 1024
"""The limit of the body, and of the query: ten times a report with five legs and a presigned URL."""

MAX_JSON_DEPTH = 6
"""`Details.Legs[0].Leg.Status` is the deepest known path, with five levels."""

# A character has at most four bytes, so most texts need not be encoded to check their length.
_SHORT_KEY_CHARS = MAX_KEY_BYTES // 4
_SHORT_VALUE_CHARS = MAX_VALUE_BYTES // 4

_EMPTY_WORDS = frozenset({"", "null", "none", "undefined"})
"""`ForwardedFrom` and `ProcessStatus` arrive as the literal word `null`."""


def read_fields(request: WebhookRequest) -> dict[str, str] | RequestRejection:
    """All fields of body and query, or why they could not be read (400, 413 or 415)."""
    if len(request.query) > MAX_BODY_BYTES or len(request.body) > MAX_BODY_BYTES:
        return _too_large(f"the request is larger than {MAX_BODY_BYTES} bytes")
    fields: dict[str, str] = {}
    return _read_into(fields, request) or fields


def read_partial_fields(request: WebhookRequest) -> dict[str, str]:
    """The readable fields of a request that was refused, to recognise which product sent it."""
    fields: dict[str, str] = {}
    if len(request.query) <= MAX_BODY_BYTES and len(request.body) <= MAX_BODY_BYTES:
        _read_into(fields, request)
    return fields


def first_value(fields: Mapping[str, str], *names: str) -> str:
    """The first of `names` with a value, stripped; "" if none has one. The word `null` is no value."""
    for name in names:
        if name in fields and (text := fields[name].strip()).lower() not in _EMPTY_WORDS:
            return text
    return ""


def first_word(fields: Mapping[str, str], *names: str) -> str:
    """Like `first_value`, in lower case, and with dashes: `No Answer` and `no_answer` are `no-answer`."""
    text = first_value(fields, *names)
    return text.lower().replace("_", "-").replace(" ", "-") if text else text


def flatten(document: Mapping[str, Any]) -> dict[str, str]:
    """A record of Exotel's as fields. It is never refused: values that are nested too deep are left out.

    A null becomes "", so that the name is still present.
    """
    return dict(_flatten("", document, 0, is_record=True))


def urlencoded_pairs(raw: bytes) -> Iterable[tuple[str, str]]:
    """The pairs of a query or form, in order. A broken escape stays as it is."""
    whole = raw.decode("utf-8", "replace").replace("+", " ")
    if "%" in whole:
        # Nearly all escapes are those of phone numbers and times. Replace them in the whole text at
        # once, in C. None of them becomes a separator or another escape.
        whole = whole.replace("%2B", "+").replace("%3A", ":").replace("%20", " ").replace("%2C", ",")
    pairs = [(key, text) for key, _, text in [piece.partition("=") for piece in whole.split("&")]]
    if "%" in whole:
        return [(unquote(key, errors="replace"), unquote(text, errors="replace")) for key, text in pairs]
    return pairs


def _read_into(fields: dict[str, str], request: WebhookRequest) -> RequestRejection | None:
    """Add the request's fields. Returns why it is refused, or None."""
    try:
        if request.body:
            pairs = _body_pairs(request.headers.get("content-type", ""), request.body)
            if isinstance(pairs, RequestRejection):
                return pairs
            _collect(fields, pairs)
        if request.query:
            _collect(fields, urlencoded_pairs(request.query))
    except MalformedBody as reason:
        return RequestRejection(400, "Malformed request", str(reason))
    except _TooLarge as reason:
        return _too_large(str(reason))
    return None


class _TooLarge(Exception):
    """A request exceeds one of this module's limits."""


def _too_large(detail: str) -> RequestRejection:
    return RequestRejection(413, "Request too large", detail)


def _collect(fields: dict[str, str], pairs: Iterable[tuple[str, str]]) -> None:
    for key, text in pairs:
        if not key or key in fields:
            continue
        if len(key) > _SHORT_KEY_CHARS and _byte_length(key) > MAX_KEY_BYTES:
            raise _TooLarge(f"a field's name is longer than {MAX_KEY_BYTES} bytes")
        if len(text) > _SHORT_VALUE_CHARS and _byte_length(text) > MAX_VALUE_BYTES:
            raise _TooLarge(f"a field's value is longer than {MAX_VALUE_BYTES} bytes")
        fields[key] = text
    if len(fields) > MAX_FIELDS:
        raise _TooLarge(f"more than {MAX_FIELDS} fields")


def _byte_length(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _body_pairs(content_type: str, body: bytes) -> Iterable[tuple[str, str]] | RequestRejection:
    kind = content_type.partition(";")[0].strip().lower()
    # Exotel's oldest products send no content type; their body is a form too.
    if kind in ("", "application/x-www-form-urlencoded"):
        return urlencoded_pairs(body.strip(b"\r\n"))
    if kind == "multipart/form-data":
        return parse_multipart(content_type, body)
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return _json_pairs(body)
    return RequestRejection(
        415,
        "Unsupported content type",
        "send application/x-www-form-urlencoded, multipart/form-data or application/json",
    )


def _json_pairs(body: bytes) -> Iterable[tuple[str, str]]:
    text = body.decode("utf-8-sig", "replace")
    if not text.strip():
        return ()
    try:
        # Numbers stay as they were written: no rounding, and no limit on their digits.
        document = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_first_wins
        )
    except (ValueError, RecursionError):
        raise MalformedBody("the body is no JSON") from None
    if not isinstance(document, dict):
        raise MalformedBody("the JSON body is no object")
    return _flatten("", document, 0, is_record=False)


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    first: dict[str, Any] = {}
    for key, item in pairs:
        first.setdefault(key, item)
    return first


def _flatten(prefix: str, item: object, depth: int, *, is_record: bool) -> Iterable[tuple[str, str]]:
    if depth > MAX_JSON_DEPTH:
        if is_record:
            return
        raise MalformedBody(f"the JSON is nested deeper than {MAX_JSON_DEPTH}")
    match item:
        case Mapping():
            for key, inner in item.items():
                name = replace_surrogates(str(key))
                path = f"{prefix}[{name}]" if prefix else name
                yield from _flatten(path, inner, depth + 1, is_record=is_record)
        case list() | tuple():
            for index, inner in enumerate(item):
                yield from _flatten(f"{prefix}[{index}]", inner, depth + 1, is_record=is_record)
        case None:
            if is_record:
                yield prefix, ""
        case bool():
            yield prefix, "true" if item else "false"
        case _:
            yield prefix, replace_surrogates(str(item))


def replace_surrogates(text: str) -> str:
    r"""Replace lone surrogates, such as from `"\ud800"`, as no database accepts them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
