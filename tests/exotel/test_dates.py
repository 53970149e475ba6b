"""Exotel's clock is in India's time, and most of its times have no zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.exotel.dates import format_ist, parse_instant

NOON = datetime(2022, 2, 23, 7, 1, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2022-02-23 12:31:59",
        "2022-02-23T12:31:59",
        " 2022-02-23 12:31:59 ",
        '"2022-02-23 12:31:59"',
        "2022-02-23 12:31:59.000",
        "Wed, 23 Feb 2022 12:31:59",
        "23 Feb 2022 12:31:59",
        "Wed, 23 Feb 2022 12:31:59 +0530",
        "Wed, 23 Feb 2022 07:01:59 GMT",
        "Wed, 23 Feb 2022 07:01:59 +0000",
        "Wed, 23 Feb 2022 12:31:59 IST",
        "2022-02-23T12:31:59+05:30",
        "2022-02-23T12:31:59 05:30",
        "2022-02-23 12:31:59 +0530",
        "2022-02-23T07:01:59Z",
        "2022-02-23T07:01:59.000000Z",
        "2022-02-23 07:01:59 UTC",
        "2022-02-23T04:01:59-03:00",
        "1645599719",
        "1645599719000",
        "1645599719.0",
    ],
)
def test_reads(text: str) -> None:
    assert parse_instant(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        None, "", "null", "soon", "0", "12", "1" * 5000, "99999999999999999999", "१६४५५९९७१९", "2022-02-23",
        "1970-01-01 05:30:00", "0000-00-00 00:00:00", "2004-12-31 23:59:59", "2022-02-30 12:00:00",
        "2022-02-23 25:00:00", "2022-02-23 12:31:59+99:00", "23/02/2022 12:31", "Wed, 23 Foo 2022 12:31:59",
        "9999-12-31 23:59:59-05:00",
    ],
)  # fmt: skip
def test_no_instant(text: str | None) -> None:
    assert parse_instant(text) is None


def test_minutes_are_enough_and_fractions_are_kept() -> None:
    assert parse_instant("2022-02-23 12:31") == NOON.replace(second=0)
    assert parse_instant("2022-02-23T12:31:59.25+05:30") == NOON.replace(microsecond=250_000)
    assert parse_instant("1645599719250") == NOON.replace(microsecond=250_000)


@given(st.text(max_size=40) | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:+ .-]{5,20}\Z"))
def test_never_raises(text: str) -> None:
    instant = parse_instant(text)
    assert instant is None or instant.utcoffset() is not None


@given(st.datetimes(datetime(2005, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them naive
def test_what_we_write_reads_back_to_the_second(instant: datetime) -> None:
    assert parse_instant(format_ist(instant)) == instant.replace(microsecond=0)
