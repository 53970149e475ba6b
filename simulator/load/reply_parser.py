"""Replies off the wire: status and verdict, and whether the connection lives on.

llhttp reads them; what it made of a whole reply is remembered, because a server that answers
thousands of calls a second does so in a handful of wordings.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import httptools

MAX_KNOWN_REPLIES: Final = 512
"""Wordings. Servers that put the time into their replies have new ones every second."""


class LoadReply(NamedTuple):
    status: int
    verdict: str
    """The value of `Missedd-Verdict`, or nothing."""
    keep_alive: bool


class InvalidReply(Exception):
    """What came is no HTTP reply."""


class ReplyParser:
    """The replies of one connection, one after the other: there is never more than one request out."""

    _parsed_replies: dict[bytes, LoadReply] = {}  # noqa: RUF012 - shared on purpose, by all connections

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_between_replies = True
        self._reply: LoadReply | None = None
        self._verdict = ""

    def feed(self, data: bytes) -> LoadReply | None:
        """Take what the peer sent; returns the reply once it is whole. Raises InvalidReply."""
        if self._is_between_replies:
            known = self._parsed_replies.get(data)
            if known is not None:
                return known
        was_between, self._is_between_replies = self._is_between_replies, False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise InvalidReply(str(error)) from error
        reply, self._reply = self._reply, None
        if reply is not None:
            self._is_between_replies = True
            if was_between:
                if len(self._parsed_replies) >= MAX_KNOWN_REPLIES:
                    self._parsed_replies.clear()
                self._parsed_replies[data] = reply
        return reply

    # What follows is called by the parser, in this order, for each reply.

    def on_message_begin(self) -> None:
        if self._reply is not None:
            raise InvalidReply("two replies to one request")
        self._verdict = ""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"missedd-verdict":
            self._verdict = value.decode("latin-1")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:  # one below only announces another
            self._reply = LoadReply(status, self._verdict, self._parser.should_keep_alive())
