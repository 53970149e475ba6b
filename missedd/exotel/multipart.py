"""multipart/form-data as pairs of texts: the default encoding of Exotel's status reports.

Everything stays in memory, as the size of the body was checked before.
"""

from __future__ import annotations

import logging

from python_multipart.multipart import MultipartParser, parse_options_header

# The sender gets the parser's complaint in the answer. A log line for each would fill the journal.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


class MalformedBody(Exception):
    """The body does not match its content type. The text is for the sender."""


class _Parts:
    """Collects the parser's callbacks: each reports a span of the body, part after part."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.is_complete = False
        self._header_name = b""
        self._header_value = b""
        self._name = ""
        self._text = bytearray()

    def on_part_begin(self) -> None:
        self._name, self._text = "", bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def on_header_end(self) -> None:
        if self._header_name.strip().lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._header_name, self._header_value = b"", b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._text += data[start:end]

    def on_part_end(self) -> None:
        self.pairs.append((self._name, self._text.decode("utf-8", "replace")))

    def on_end(self) -> None:
        self.is_complete = True


def parse_multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The parts in order, as (name, text). For a file the text is its contents.

    Raises `MalformedBody`, also if the body is cut off, as half a report must not count as a whole one.
    """
    try:
        _, options = parse_options_header(content_type.encode("latin-1", "replace"))
        boundary = options.get(b"boundary", b"")
        if not boundary:
            raise MalformedBody("the multipart body names no boundary")
        parts = _Parts()
        MultipartParser(
            boundary,
            {
                "on_part_begin": parts.on_part_begin,
                "on_header_field": parts.on_header_field,
                "on_header_value": parts.on_header_value,
                "on_header_end": parts.on_header_end,
                "on_part_data": parts.on_part_data,
                "on_part_end": parts.on_part_end,
                "on_end": parts.on_end,
            },
        ).write(body)
    except ValueError:
        raise MalformedBody("the multipart body is damaged") from None
    if not parts.is_complete:
        raise MalformedBody("the multipart body is cut off")
    return parts.pairs
