"""Reading a spreadsheet's CSV of conversions: which column is what, and each line or what is wrong with it.

A line that cannot be read is a line with a problem, never the end of the file: the others are as good
as if it were not there. Lines are numbered as an editor numbers them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": ("reference", "ref", "orderid", "orderno", "ordernumber", "invoiceno", "invoicenumber"),
    "number": ("number", "phone", "mobile", "phonenumber", "phoneno", "mobilenumber", "mobileno"),
    "call_sid": ("callsid",),
    "campaign": ("campaign",),
    "at": ("at", "date", "convertedat", "orderdate"),
    "value": ("value", "amount", "total"),
}
"""What a column may be called, letter case, blanks and punctuation apart, for each thing it may say."""

_PUNCTUATION: Final = re.compile(r"[\W_]+")
_DELIMITERS: Final = ",;\t"
_AMOUNT: Final = re.compile(r"\d+(\.\d+)?|\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?")
"""Grouped as in 1,25,000.50 or 125,000.50, or not at all. A comma for a point is not guessed at."""


class WrongFile(Exception):
    """The file as a whole cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `said` by field as the API takes it, or a `problem`. `cells` are what stood there."""

    number: int
    cells: Sequence[str]
    said: Mapping[str, object] = field(default_factory=dict)
    problem: str | None = None


class ConversionFile:
    """An open CSV file: its header, then its lines, once."""

    def __init__(self, raw: BinaryIO, chosen: Mapping[str, str]) -> None:
        """`chosen` names the columns of fields where the header does not speak for itself.

        Raises `WrongFile`.
        """
        # What is no UTF-8 comes out as lone surrogates, so that it spoils its own line only.
        text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        first = text.readline()
        if not first.strip():
            raise WrongFile("is empty; its first line has to name the columns")
        if "\0" in first or not _is_text(first):
            raise WrongFile("is not UTF-8; save it as CSV in UTF-8")
        delimiter = max(_DELIMITERS, key=first.count)
        self.header = next(csv.reader([first], delimiter=delimiter))
        self.columns = columns_of(self.header, chosen)
        self._rows = csv.reader(text, delimiter=delimiter)

    def lines(self) -> Iterator[Line]:
        """Every line with something in it."""
        while True:
            number = self._rows.line_num + 2  # the header was the first
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except csv.Error as wrong:
                yield Line(number, [], problem=f"is not CSV: {wrong}")
                continue
            if any(cell.strip() for cell in cells):
                yield self._line(number, cells)

    def _line(self, number: int, cells: list[str]) -> Line:
        if not all(map(_is_text, cells)):
            return Line(number, cells, problem="is not UTF-8")
        if len(cells) != len(self.header):
            return Line(number, cells, problem=f"has {len(cells)} cells, the header has {len(self.header)}")
        said: dict[str, object] = {}
        for name, column in self.columns.items():
            if cell := cells[column].strip():
                said[name] = cell
        if "value" in said:
            amount = amount_of(str(said["value"]))
            if amount is None:
                return Line(number, cells, problem="value: is not an amount such as 2500 or 1,25,000.50")
            said["value"] = amount
        return Line(number, cells, said)


def columns_of(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """Where each field stands. Raises `WrongFile` where one cannot be found, or is found twice."""
    plain = [_plain(name) for name in header]
    found: dict[str, int] = {}
    for name, known in NAMES.items():
        wanted = (_plain(chosen[name]),) if name in chosen else known
        places = [i for i, each in enumerate(plain) if each in wanted]
        if len(places) > 1:
            which = " and ".join(repr(header[i]) for i in places)
            raise WrongFile(f"has {which}, each of which may be the {name}; choose with --map {name}=COLUMN")
        if not places and name in chosen:
            raise WrongFile(f"has no column {chosen[name]!r}; it has {', '.join(header)}")
        if places:
            found[name] = places[0]
    for name, instead in (("reference", None), ("number", "call_sid")):
        if name not in found and instead not in found:
            raise WrongFile(
                f"has no column that is plainly the {name}; say which with --map {name}=COLUMN, "
                f"it has {', '.join(header)}"
            )
    return found


def amount_of(text: str) -> float | None:
    """A sum of money as a spreadsheet writes it, without its currency; None if it is none."""
    return float(text.replace(",", "")) if _AMOUNT.fullmatch(text) else None


def _plain(name: str) -> str:
    return _PUNCTUATION.sub("", name).casefold()


def _is_text(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)
