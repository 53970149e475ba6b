"""A list as CSV (RFC 4180), fit to be opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_NUMBER = re.compile(r"[+-]?[0-9.]+\*?")

_FORMULA = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
"""How a text begins that a spreadsheet may run: in either width, and behind blanks that it leaves away."""


def to_csv(columns: Sequence[str], items: Iterable[Mapping[str, Any]]) -> str:
    """A header line and a line for each item, with just these columns; null is empty."""
    return csv_header(columns) + csv_lines(columns, items)


def csv_header(columns: Sequence[str]) -> str:
    return _format_rows([columns])


def csv_lines(columns: Sequence[str], items: Iterable[Mapping[str, Any]]) -> str:
    """A line for each item, without a header."""
    return _format_rows([_cell(item.get(column)) for column in columns] for item in items)


def _format_rows(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A value as a cell. Text that a spreadsheet would run as a formula is made text again.

    Phone numbers begin with a plus and are left alone: they are no formula that does anything.
    """
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and _FORMULA.match(value):
        return value if _NUMBER.fullmatch(value) else "'" + value
    return value
