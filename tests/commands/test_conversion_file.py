"""A spreadsheet's CSV: its columns by name, its lines one by one, and what is wrong with either."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.commands.conversion_file import ConversionFile, WrongFile, amount_of


def read(content: str | bytes, **chosen: str) -> ConversionFile:
    raw = content.encode() if isinstance(content, str) else content
    return ConversionFile(io.BytesIO(raw), chosen)


def said(content: str | bytes, **chosen: str) -> list[Mapping[str, object]]:
    lines = list(read(content, **chosen).lines())
    assert [each.problem for each in lines if each.problem] == []
    return [each.said for each in lines]


def problems(content: str | bytes) -> list[tuple[int, str | None]]:
    return [(each.number, each.problem) for each in read(content).lines() if each.problem]


@pytest.mark.parametrize(
    "header",
    [
        "reference,number,value",
        "Order ID,Phone,Amount",
        "order_no;MOBILE NO.;total",
        "ref\tphone-number\tValue",
    ],
)
def test_columns_by_their_usual_names(header: str) -> None:
    delimiter = next(each for each in ",;\t" if each in header)
    line = delimiter.join(("o1", "98765 43210", "2500.50"))
    assert said(f"{header}\n{line}\n") == [{"reference": "o1", "number": "98765 43210", "value": 2500.5}]


def test_what_a_spreadsheet_adds_is_no_matter() -> None:
    content = (
        b"\xef\xbb\xbforder_id,phone,note,date\r\n"
        b' o1 ,+919876543210,"a ""b"",\r\nc",\r\n'
        b"\r\n,,,\r\n"
        b"o2,98,,2026-11-23\r\n"
    )
    assert said(content) == [
        {"reference": "o1", "number": "+919876543210"},
        {"reference": "o2", "number": "98", "at": "2026-11-23"},
    ]
    assert [each.number for each in read(content).lines()] == [2, 6]


def test_columns_may_be_chosen() -> None:
    content = "Bill,Phone,Alt phone,Who\no1,1,2,shop\n"
    assert said(content, reference="Bill", number="Alt phone", campaign="who") == [
        {"reference": "o1", "number": "2", "campaign": "shop"}
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("order_id,phone\n".encode("utf-16"), "is not UTF-8"),
        (b"order_id,phon\xe9\n", "is not UTF-8"),
        (b"name,phone\n", "no column that is plainly the reference; say which with --map reference=COLUMN"),
        (b"order_id,name\n", "no column that is plainly the number"),
        (b"order_id,phone,mobile\n", "has 'phone' and 'mobile', each of which may be the number"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(content: bytes, words: str) -> None:
    with pytest.raises(WrongFile, match=words):
        read(content)


def test_a_chosen_column_has_to_be_there() -> None:
    with pytest.raises(WrongFile, match="has no column 'Bill'; it has order_id, phone"):
        read("order_id,phone\n", reference="Bill")


def test_a_call_stands_in_for_a_number() -> None:
    assert said("order_id,CallSid\no1,abc\n") == [{"reference": "o1", "call_sid": "abc"}]


def test_a_bad_line_is_named_and_the_others_are_read() -> None:
    content = (
        b"order_id,phone,value\n"
        b"o1,1,1\n"
        b"o2,1\n"
        b"o3,1,\xff\n"
        b"o4,1,ten\n"
        b"o5,1,12,50\n"
        b'o6,1,"' + b"x" * 140_000 + b'"\n'
        b"o7,1,7\n"
    )
    assert [each[0] for each in problems(content)] == [3, 4, 5, 6, 7]
    assert [each[1] for each in problems(content)] == [
        "has 2 cells, the header has 3",
        "is not UTF-8",
        "value: is not an amount such as 2500 or 1,25,000.50",
        "has 4 cells, the header has 3",
        "is not CSV: field larger than field limit (131072)",
    ]
    assert [each.said["reference"] for each in read(content).lines() if each.said] == ["o1", "o7"]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2500", 2500),
        ("2500.5", 2500.5),
        ("1,25,000.50", 125_000.5),
        ("125,000", 125_000),
        ("1,00,00,000", 10_000_000),
        ("0", 0),
        ("12,50", None),
        ("1,2", None),
        ("-5", None),
        ("₹ 500", None),
        ("1e3", None),
        ("nan", None),
        ("", None),
    ],
)
def test_amounts(text: str, amount: float | None) -> None:
    assert amount_of(text) == amount


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    lines = list(read(b"order_id,phone\n" + content).lines())
    assert not any(each.said and each.problem for each in lines)
    assert [each.number for each in lines] == sorted({each.number for each in lines})
