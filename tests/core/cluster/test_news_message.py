"""News as text: what fits is told in full, what does not becomes a wish to read anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.cluster.news_message import MAX_POLLS, MAX_WAKES, NewsMessage, decode_news, encode_news

LIMIT = 7_999

_wakes = st.tuples(st.integers(0, 2**62), st.integers(1, 2**62), st.sampled_from(["voice", "sms", "lookup"]))


@given(
    st.integers(1, 2**62),
    st.lists(_wakes, max_size=MAX_WAKES),
    st.lists(st.text(max_size=20), max_size=MAX_POLLS),
    st.booleans(),
    st.booleans(),
)
def test_a_message_comes_back_as_it_was(
    sender: int, wakes: list[tuple[int, int, str]], polls: list[str], catch_up: bool, vacant: bool
) -> None:
    message = NewsMessage(sender, tuple(wakes), False, tuple(polls), False, catch_up, vacant)
    text = encode_news(message, 2**20)
    assert decode_news(text) == message


@given(
    st.integers(0, 300),
    st.lists(st.text(min_size=200, max_size=200), max_size=40),
)
def test_every_message_fits_and_loses_nothing_but_details(wakes: int, polls: list[str]) -> None:
    message = NewsMessage(2**62, tuple((2**62, 2**62, "webhook") for _ in range(wakes)), polls=tuple(polls))
    text = encode_news(message, LIMIT)
    assert len(text.encode()) <= LIMIT
    decoded = decode_news(text)
    assert decoded.wakes == message.wakes or decoded.reread
    assert decoded.polls == message.polls or decoded.all_polls


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"from":"x"}', '{"from":1,"wakes":[[1]]}', "\x00"])
def test_a_text_that_is_no_message_means_read_everything(text: str) -> None:
    assert decode_news(text) == NewsMessage(0, reread=True, all_polls=True)


def test_what_a_newer_release_adds_is_left_out() -> None:
    assert decode_news('{"from":3,"vacant":true,"weather":"fine"}') == NewsMessage(3, vacant=True)
