"""A spreadsheet's CSV: its columns by name, its lines one by one, and what is wrong with either."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.commands.conversions.csv_file import ConversionFile, CsvFileError
from missedd.commands.conversions.spreadsheet_cells import DateOrder


def read(content: str | bytes, **chosen: str) -> ConversionFile:
    raw = content.encode() if isinstance(content, str) else content
    return ConversionFile(io.BytesIO(raw), chosen)


def said(content: str | bytes, **chosen: str) -> list[Mapping[str, object]]:
    lines = list(read(content, **chosen).lines())
    assert [each.problem for each in lines if each.problem] == []
    return [each.fields for each in lines]


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
    with pytest.raises(CsvFileError, match=words):
        read(content)


def test_a_chosen_column_has_to_be_there() -> None:
    with pytest.raises(CsvFileError, match="has no column 'Bill'; it has order_id, phone"):
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
        "value 'ten': is not an amount such as 2500, ₹499 or 1,25,000.50",
        "has 4 cells, the header has 3",
        "is not CSV: field larger than field limit (131072)",
    ]
    assert [each.fields["reference"] for each in read(content).lines() if each.fields] == ["o1", "o7"]


HEADER = "order_id,phone,date\n"


def dated(*dates: str, order: DateOrder | None = None) -> ConversionFile:
    rows = "".join(f'o{n},1,"{each}"\n' for n, each in enumerate(dates))
    return ConversionFile(io.BytesIO((HEADER + rows).encode()), {}, order)


def read_dates(source: ConversionFile) -> list[object]:
    return [each.fields.get("at") or each.problem for each in source.lines()]


AMBIGUOUS = (
    "date '11/12/2026': may be a day and a month or the other way round; say --dates dmy or --dates mdy"
)


def test_a_date_that_can_be_two_days_needs_a_word() -> None:
    source = dated("11/12/2026", "11/11/2026")
    assert read_dates(source) == [AMBIGUOUS, "2026-11-11"]
    assert read_dates(dated("11/12/2026", order=DateOrder.DMY)) == ["2026-12-11"]
    assert read_dates(dated("11/12/2026", order=DateOrder.MDY)) == ["2026-11-12"]
    assert read_dates(dated("11/12/2026", order=DateOrder.ISO)) == [
        "date '11/12/2026': is no date with the year first, as --dates iso has it"
    ]


def test_the_other_dates_of_a_file_settle_it() -> None:
    source = dated("11/12/2026", "30/11/2026 10:45", "01-12-26")
    assert (source.order, source.order_evidence) == (DateOrder.DMY, (3, "30/11/2026 10:45"))
    assert read_dates(source) == ["2026-12-11", "2026-11-30T10:45:00", "2026-12-01"]


def test_a_file_that_contradicts_itself_settles_nothing() -> None:
    source = dated("11/12/2026", "30/11/2026", "11/30/2026")
    assert source.order is None
    assert read_dates(source) == [AMBIGUOUS, "2026-11-30", "2026-11-30"]


def test_a_separator_and_titles_may_stand_above_the_header() -> None:
    content = (
        "\ufeffsep=;\r\nOrders, of November\r\n\r\norder_id;phone;date\r\no1;1;30.11.2026\r\no2;1;ten\r\n"
    )
    source = read(content)
    assert source.skipped_lines == ["Orders, of November"]
    assert [(each.number, each.fields or each.problem) for each in source.lines()] == [
        (5, {"reference": "o1", "number": "1", "at": "2026-11-30"}),
        (6, "date 'ten': is no date such as 30/11/2026, 30-Nov-2026 or 2026-11-30 10:45"),
    ]


def test_what_the_daemon_says_of_a_field_is_told_of_its_column() -> None:
    source = read("order_id,Mobile No.\no1,98 11\n")
    (line,) = source.lines()
    assert source.explain(line, "number: has never rung it") == "Mobile No. '98 11': has never rung it"
    assert source.explain(line, "is longer than 4000 bytes") == "is longer than 4000 bytes"


def test_cells_are_read_as_they_are_shown() -> None:
    content = (
        'order_id,phone,amount\no1,"=""09876543210""",₹ 499\n'
        'o2,\u202a+91９876543210\u202c,"Rs. 1,25,000.50"\n'
    )
    assert said(content) == [
        {"reference": "o1", "number": "09876543210", "value": 499},
        {"reference": "o2", "number": "+919876543210", "value": 125_000.5},
    ]


def test_digits_that_are_lost_are_not_made_up() -> None:
    ((number, problem),) = problems("order_id,phone\no1,9.8765E+11\n")
    assert (number, str(problem).partition(";")[0]) == (
        2,
        "phone '9.8765E+11': is rounded by the spreadsheet",
    )


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    lines = list(read(b"order_id,phone\n" + content).lines())
    assert not any(each.fields and each.problem for each in lines)
    assert [each.number for each in lines] == sorted({each.number for each in lines})
