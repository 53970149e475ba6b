"""Details of an action: the order of reports does not matter, and only web addresses become links."""

from __future__ import annotations

from itertools import permutations

import pytest

from missedd.core.actions.details import (
    ACTION_DETAILS,
    displayed_details,
    is_web_link,
    merge_details,
    sms_details,
)
from missedd.core.api_types.actions import BriefActionJson
from tests.core.objects import made

RECORDING = "https://recordings.exotel.com/x/y.mp3"


def test_news_in_any_order_comes_to_the_same() -> None:
    answered = {"talk_s": "0"}
    ended = {"talk_s": "8", "recording_url": RECORDING}
    details = {"talk_s": "8", "price": "1.500"}
    for news in permutations([answered, ended, details, {}]):
        known = {"agent": "+919800000001"}
        for each in news:
            known = merge_details(known, each)
        assert known == {
            "agent": "+919800000001",
            "talk_s": "8",
            "recording_url": RECORDING,
            "price": "1.500",
        }


def test_nothing_takes_the_place_of_what_is_known() -> None:
    known = {"poll": "singer", "talk_s": "8", "price": "1.500"}
    assert merge_details(known, {}) == known
    assert merge_details(known, {"talk_s": "0"}) == known
    assert merge_details(known, {"price": "1.750"}) == known | {"price": "1.750"}


def test_the_facts_of_a_text() -> None:
    assert sms_details("Thank you.") == {"text": "Thank you.", "units": "1"}
    assert sms_details("धन्यवाद " * 10)["units"] == "2"


def test_the_api_has_a_field_for_every_fact() -> None:
    assert {each.name for each in ACTION_DETAILS} <= set(BriefActionJson.__struct_fields__)


def test_for_people() -> None:
    kept = {"agent": "+919800000001", "first": "agent", "talk_s": 0, "recording_url": RECORDING}
    assert [tuple(each) for each in displayed_details(made(BriefActionJson, **kept))] == [
        ("Agent", "+919800000001", None),
        ("Called first", "agent", None),
        ("Talk time", "0 s", None),
        ("Recording", RECORDING, RECORDING),
    ]
    assert [
        each.link for each in displayed_details(made(BriefActionJson, recording_url="javascript:alert(1)"))
    ] == [None]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (RECORDING, True),
        ("HTTP://recordings.exotel.com/a?b=c&d=%20#e", True),
        *((text, False) for text in ("", "javascript:alert(1)", "data:text/html,x", "ftp://a/b", "//a/b")),
        *((f"https://a{text}b", False) for text in (" ", "\n", '"', "<", ">", "\\", "\u202e")),
        ("https://", False),
        ("https://" + "a" * 2_001, False),
    ],
)
def test_links(text: str, *, is_one: bool) -> None:
    assert is_web_link(text) is is_one
