"""An HTTP/1.1 parser: bytes in, complete requests out, without a socket or a clock.

llhttp (through httptools) parses the grammar in its strict mode. Errors are: two Content-Length headers,
Content-Length together with Transfer-Encoding, a bare line feed, a space before a colon. This file adds what
llhttp leaves to its caller: all limits on memory, exactly one Host, no upgrade, no coding except chunked.
After an error the parser reads nothing more; requests that were complete before the error are still there.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import httptools

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.public.limits import ListenerLimits


class RequestError(NamedTuple):
    """Why a request does not reach the site, and the HTTP status of the reply."""

    status: int
    why: str


class ParsedRequest(NamedTuple):
    """A complete request. `keep_alive`: whether the peer wants to keep the connection."""

    path: str
    request: WebhookRequest
    keep_alive: bool


class _StopParsing(Exception):
    """Raised in a callback of the parser to stop it; the error is set already."""


class RequestParser:
    """Parses the requests of one connection, in order."""

    def __init__(self, limits: ListenerLimits) -> None:
        self.requests: deque[ParsedRequest] = deque()
        self.error: RequestError | None = None
        self.is_receiving = False
        """A request has begun and is not complete."""
        self.wants_continue = False
        """The peer waits for `100 Continue` before it sends its body."""
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Parse bytes of the peer. Never raises: see `requests` and `error` afterwards."""
        if self.error is not None:
            return
        was_receiving = self.is_receiving
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._set_error(400, "an upgrade was asked for; only HTTP/1.1 is spoken here")
        except httptools.HttpParserError as error:
            # The parser's message names a rule, never the data that broke the rule.
            self._set_error(400, str(error) or "not HTTP/1.1")
        if was_receiving and self.is_receiving:
            self._count_fragment(len(data))

    def _count_fragment(self, size: int) -> None:
        """Limit bytes that no callback shows: an unfinished header, padding between chunks."""
        self._wire_bytes += size
        if not self._has_headers and self._wire_bytes > self._limits.target_bytes + self._limits.header_bytes:
            self._set_error(431, "the header fields are too large")
        elif self._wire_bytes > self._limits.request_bytes:
            self._set_error(413, "the request is too large")

    def _set_error(self, status: int, why: str) -> None:
        if self.error is None:
            self.error = RequestError(status, why)

    def _stop_with(self, status: int, why: str) -> _StopParsing:
        self._set_error(status, why)
        return _StopParsing()

    # The parser calls the following methods, in this order, for each request.

    def on_message_begin(self) -> None:
        self.is_receiving = True
        self._has_headers = False
        self._wire_bytes = self._header_bytes = self._header_count = 0
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > self._limits.target_bytes:
            raise self._stop_with(414, "the path and query are too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        self._header_bytes += len(name) + len(value)
        if self._header_count > self._limits.header_count or self._header_bytes > self._limits.header_bytes:
            raise self._stop_with(431, "the header fields are too many or too large")
        if self._has_headers:
            return  # a trailer: what arrives after the body must not change the headers
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if key not in self._headers:
            self._headers[key] = text
        elif key == "host":
            raise self._stop_with(400, "more than one Host")
        else:
            self._headers[key] += ", " + text

    def on_headers_complete(self) -> None:
        self._has_headers = True
        headers = self._headers
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise self._stop_with(505, "only HTTP/1.1 and 1.0 are spoken here")
        self._is_http_11 = version == "1.1"
        if self._parser.should_upgrade():
            raise self._stop_with(400, "an upgrade was asked for; only HTTP/1.1 is spoken here")
        if self._is_http_11 and "host" not in headers:
            raise self._stop_with(400, "no Host")
        if "transfer-encoding" in headers:
            if headers["transfer-encoding"].strip().lower() != "chunked":
                raise self._stop_with(501, "no transfer coding but chunked is understood")
            if not self._is_http_11:
                raise self._stop_with(400, "chunked is not for HTTP/1.0")
        elif int(headers.get("content-length", 0)) > self._limits.body_bytes:
            raise self._stop_with(413, "the body is too large")
        if self._is_http_11 and "expect" in headers:
            if headers["expect"].lower() != "100-continue":
                raise self._stop_with(417, "only 100-continue can be expected")
            self.wants_continue = True

    def on_body(self, body: bytes) -> None:
        # Nearly every body arrives in one piece; the limit keeps the copying small for the others.
        self._body += body
        self.wants_continue = False
        if len(self._body) > self._limits.body_bytes:
            raise self._stop_with(413, "the body is too large")

    def on_message_complete(self) -> None:
        self.is_receiving = self.wants_continue = False
        path, query = split_target(self._target)
        request = WebhookRequest(
            (self._parser.get_method()).decode("latin-1"), query, self._headers, self._body
        )
        # HTTP/1.0 closes, whatever it asks for: keep-alive there was never standardised.
        keep_alive = self._is_http_11 and self._parser.should_keep_alive()
        self.requests.append(ParsedRequest(path, request, keep_alive))


def split_target(target: bytes) -> tuple[str, bytes]:
    """Split a request target into path and query; the path stays percent-encoded.

    It accepts both forms of RFC 9112, section 3.2, that name a resource: `/path?query`, and the absolute
    form that a proxy may send.
    """
    target = target.partition(b"#")[0]
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/"):
        _, has_authority, rest = path.partition(b"://")
        if has_authority:
            path = b"/" + rest.partition(b"/")[2]
    return path.decode("latin-1"), query
