"""Cells as spreadsheets write them: one reading or none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.commands.conversions.spreadsheet_cells import (
    CellError,
    DateOrder,
    clean_cell,
    infer_order,
    parse_amount,
    parse_date,
    parse_number,
)
from missedd.core.phone import normalise


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-30", "2026-11-30"),
        ("2026-11-30 10:45", "2026-11-30 10:45"),
        ("2026-11-30T05:15:00Z", "2026-11-30T05:15:00Z"),
        ("2026/11/30", "2026-11-30"),
        ("30/11/2026", "2026-11-30"),
        ("30-11-2026", "2026-11-30"),
        ("30.11.2026", "2026-11-30"),
        ("30-Nov-2026", "2026-11-30"),
        ("30-Nov-26", "2026-11-30"),
        ("30 November 2026", "2026-11-30"),
        ("1st Sept. 2026", "2026-09-01"),
        ("Nov 30, 2026", "2026-11-30"),
        ("november 30 2026", "2026-11-30"),
        ("11/30/2026", "2026-11-30"),
        ("11/11/2026", "2026-11-11"),
        ("30/11/2026 10:45", "2026-11-30T10:45:00"),
        ("30/11/2026 10:45 AM", "2026-11-30T10:45:00"),
        ("30/11/2026, 10:45:09 pm", "2026-11-30T22:45:09"),
        ("30-11-2026 23:59", "2026-11-30T23:59:00"),
        ("30-Nov-2026 12:05AM", "2026-11-30T00:05:00"),
        ("Nov 30, 2026 12:05 p.m.", "2026-11-30T12:05:00"),
        ("2026/11/30 9:05", "2026-11-30T09:05:00"),
    ],
)
def test_dates_that_can_only_be_read_in_one_way(text: str, read: str) -> None:
    assert parse_date(text, None) == read


@pytest.mark.parametrize(
    ("text", "order", "words"),
    [
        ("11/12/2026", None, "may be a day and a month or the other way round"),
        ("30/11/26", None, "may be a day"),
        ("11/30/2026", DateOrder.DMY, "is no date as dmy"),
        ("30/11/2026", DateOrder.MDY, "is no date as mdy"),
        ("30-Nov-2026", DateOrder.ISO, "is no date with the year first"),
        ("31/11/2026", None, "is no date"),
        ("30/11-2026", None, "is no date such as"),
        ("30-Foo-2026", None, "is no date such as"),
        ("30/11/2026 25:00", None, "has no time of the day in it"),
        ("30/11/2026 13:45 PM", None, "has no time of the day in it"),
        ("46356", None, "is how the spreadsheet counts days; format the column as a date"),
        ("yesterday", None, "is no date such as"),
    ],
)
def test_what_is_no_date_says_why(text: str, order: DateOrder | None, words: str) -> None:
    with pytest.raises(CellError, match=words):
        parse_date(text, order)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("30/11/2026", DateOrder.DMY),
        ("30.11.2026 10:45", DateOrder.DMY),
        ("11-30-2026", DateOrder.MDY),
        ("11/12/2026", None),
        ("12/12/2026", None),
        ("30/11/26", None),
        ("40/11/2026", None),
        ("30-Nov-2026", None),
        ("2026-11-30", None),
    ],
)
def test_which_dates_show_their_order(text: str, order: DateOrder | None) -> None:
    assert infer_order(text) is order


@given(st.text(max_size=40), st.sampled_from([None, *DateOrder]))
def test_any_text_is_a_date_or_is_not(text: str, order: DateOrder | None) -> None:
    infer_order(text)
    with suppress(CellError):
        assert parse_date(text, order)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2500", 2500),
        ("2500.5", 2500.5),
        ("1,25,000.50", 125_000.5),
        ("125,000", 125_000),
        ("1,00,00,000", 10_000_000),
        ("0", 0),
        ("₹499", 499),
        ("₹ 500", 500),
        ("₹\u00a01,25,000/-", 125_000),
        ("Rs. 499", 499),
        ("rs 499", 499),
        ("Rs.499/-", 499),
        ("INR 499.00", 499),
        ("499 INR", 499),
        ("499/-", 499),
        ("12,50", None),
        ("1,2", None),
        ("-5", None),
        ("₹-5", None),
        ("$499", None),
        ("499/", None),
        ("1e3", None),
        ("nan", None),
        ("", None),
    ],
)
def test_amounts(text: str, amount: float | None) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "cell",
    [
        '="09876543210"',
        "'09876543210",
        "9876543210.0",
        "919876543210.00",
        "p:+919876543210",
        "+91-98765-43210",
        "\u202a+919876543210\u202c",
        "＋91９876543210",
        " 9876543210 ",
    ],
)
def test_numbers(cell: str) -> None:
    assert normalise(parse_number(clean_cell(cell))) == "+919876543210"


@pytest.mark.parametrize(
    "cell", ["9876543210 / 9876543211", "9876543210;9876543211", "98765432", "9876543210.5"]
)
def test_what_is_not_one_number_stays_none(cell: str) -> None:
    assert normalise(parse_number(clean_cell(cell))) is None
