"""A list as CSV (RFC 4180), fit to be opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from operator import attrgetter

from missedd.core.api_types.base import ApiObject

_NUMBER = re.compile(r"[+-]?[0-9.]+\*?")

_FORMULA = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
"""How a text begins that a spreadsheet may run: in either width, and behind blanks that it leaves away."""


def to_csv[T: ApiObject](of: type[T], items: Iterable[T]) -> str:
    """A header line and a line for each item; null is empty."""
    return csv_header(of) + csv_lines(of, items)


def csv_header(of: type[ApiObject]) -> str:
    return _format_rows([tuple(of.columns())])


def csv_lines[T: ApiObject](of: type[T], items: Iterable[T]) -> str:
    """A line for each item, without a header."""
    values = attrgetter(*of.columns().values())
    return _format_rows(map(_cell, values(item)) for item in items)


def _format_rows(rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _cell(value: object) -> object:
    """A value as a cell. Text that a spreadsheet would run as a formula is made text again.

    Phone numbers begin with a plus and are left alone: they are no formula that does anything.
    """
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and _FORMULA.match(value):
        return value if _NUMBER.fullmatch(value) else "'" + value
    return value
