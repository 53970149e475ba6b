"""The log shows no whole phone number and no secret."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.log.logger import Event, create_logger
from tests.log.lines import AT, field


@pytest.mark.parametrize("key", ["number", "caller", "from", "to", "exophone"])
def test_a_numbers_field_shows_four_digits(key: str) -> None:
    for number in ("+919876543210", "09876543210", " 91 98765-43210", 9876543210, ["+919876543210"]):
        assert field(number, key) in ("…3210", ["…3210"])
    assert field({"x": {key: "09876543210"}}) == {"x": {key: "…3210"}}
    assert field(None, key) is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +919876543210 now", "to …3210 now"),
        ("+91 98765 43210", "…3210"),
        ("+91-98765-43210", "…3210"),
        ("From=%2B919876543210&To=x", "From=…3210&To=x"),
        ("dial 09876543210, 9876543210", "dial …3210, …3210"),
        ("sip:+919876543210@host", "sip:…3210@host"),
        ("+12345678901234567890", "…7890"),
        ("'+919876543210' 15 times", "'…3210' 15 times"),
        # Texts that only look like a number.
        ("d50e19c31e3911190a7e601f1056d69a", "d50e19c31e3911190a7e601f1056d69a"),
        ("2026-11-23T20:00:00.000+05:30", "2026-11-23T20:00:00.000+05:30"),
        ("in 0.12345678901 s", "in 0.12345678901 s"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
    ],
)
def test_numbers_in_texts(text: str, masked: str) -> None:
    assert field(text) == masked
    assert field([{"inner": text}]) == [{"inner": masked}]


def test_an_id_of_digits_survives() -> None:
    assert field("1234567890123", "call_sid") == "1234567890123"
    assert field("+919876543210", "call_sid") == "…3210"


@given(
    number=st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True),
    before=st.text(max_size=5),
    after=st.text(alphabet="abc ,.;)]'\"", max_size=5),
)
def test_no_full_number_leaves(number: str, before: str, after: str) -> None:
    stream = io.StringIO()
    log = create_logger(stream, now=lambda: AT)
    log.info(Event.WEBHOOK_REFUSED, detail=before + number + after, inner={"a": [number]})
    assert number[1:] not in stream.getvalue()


def test_secrets_are_covered_wherever_they_occur() -> None:
    stream = io.StringIO()
    log = create_logger(stream, now=lambda: AT, secrets=["hunter2", "hunter2-and-more", ""])
    log.bind(url="http://x/hunter2/y").error(
        Event.REQUEST_FAILED,
        detail={"hunter2": ["a hunter2-and-more b"]},
        caller="hunter2",
        exc_info=RuntimeError("refused hunter2 for +919876543210"),
    )
    assert "hunter2" not in stream.getvalue()
    assert "-and-more" not in stream.getvalue()
    assert "9876543210" not in stream.getvalue()
    line = json.loads(stream.getvalue())
    assert line["url"] == "http://x/[secret]/y"
    assert line["exception"] == "RuntimeError: refused [secret] for …3210"
