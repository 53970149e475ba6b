"""Replies as servers write them: whole, in pieces, in chunks, and nonsense."""

from __future__ import annotations

import pytest

from simulator.load.reply_parser import InvalidReply, LoadReply, ReplyParser

OURS = b"HTTP/1.1 200 OK\r\nMissedd-Verdict: duplicate\r\nContent-Length: 0\r\n\r\n"
WHOLE = [
    (OURS, LoadReply(200, "duplicate", keep_alive=True)),
    (b"HTTP/1.1 204 No Content\r\n\r\n", LoadReply(204, "", keep_alive=True)),
    (b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno.", LoadReply(404, "", keep_alive=True)),
    (
        b"HTTP/1.1 200 OK\r\nmissedd-verdict: a\r\nContent-Length: 0\r\n\r\n",
        LoadReply(200, "a", keep_alive=True),
    ),
    (
        b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        LoadReply(503, "", keep_alive=False),
    ),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        LoadReply(200, "", keep_alive=True),
    ),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        LoadReply(200, "", keep_alive=True),
    ),
]


@pytest.mark.parametrize(("data", "reply"), WHOLE)
def test_a_reply_is_read_whole_and_byte_by_byte(data: bytes, reply: LoadReply) -> None:
    assert ReplyParser().feed(data) == reply
    assert ReplyParser().feed(data) == reply  # from memory
    reader = ReplyParser()
    heard = [reader.feed(data[at : at + 1]) for at in range(len(data))]
    assert heard == [None] * (len(data) - 1) + [reply]


def test_what_is_remembered_does_not_cut_in_on_a_reply_that_has_begun() -> None:
    ReplyParser().feed(OURS)
    reader = ReplyParser()
    # A body that looks like a whole reply.
    assert reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OURS)) is None
    assert reader.feed(OURS) == LoadReply(200, "", keep_alive=True)


@pytest.mark.parametrize(
    "data", [b"hello\r\n\r\n", OURS + OURS, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_nonsense_is_said_to_be_nonsense(data: bytes) -> None:
    with pytest.raises(InvalidReply):
        ReplyParser().feed(data)
