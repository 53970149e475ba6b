"""A list as CSV (RFC 4180), fit to be opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_NUMBER = re.compile(r"[+-]?[0-9.]+\*?")


def to_csv(columns: Sequence[str], items: Iterable[Mapping[str, Any]]) -> str:
    """A header line and a line for each item, with just these columns; null is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for item in items:
        writer.writerow([_cell(item.get(column)) for column in columns])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A value as a cell. Text that a spreadsheet would run as a formula is made text again.

    Phone numbers begin with a plus and are left alone: they are no formula that does anything.
    """
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value if _NUMBER.fullmatch(value) else "'" + value
    return value
