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

from missedd.commands.conversions.spreadsheet_cells import (
    CellError,
    DateOrder,
    clean_cell,
    infer_order,
    parse_amount,
    parse_date,
    parse_number,
)
from missedd.core.phone import as_visible_ascii

COLUMN_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
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
_SEPARATOR: Final = re.compile(r"sep=(\\t|.)", re.IGNORECASE)
"""A first line by which a spreadsheet says what stands between the cells."""

MAX_LINES_ABOVE: Final = 10
"""Lines that may stand above the header: a title, whose report it is, and until when."""

MAX_SHOWN_CHARS: Final = 60


class CsvFileError(Exception):
    """The file as a whole cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class CsvLine:
    """One line: `said` by field as the API takes it, or a `problem`. `cells` are what stood there."""

    number: int
    cells: Sequence[str]
    fields: Mapping[str, object] = field(default_factory=dict)
    problem: str | None = None


class ConversionFile:
    """An open CSV file: its header, then its lines, once."""

    def __init__(self, raw: BinaryIO, chosen: Mapping[str, str], dates: DateOrder | None = None) -> None:
        """`chosen` names the columns of fields where the header does not speak for itself.

        Without `dates` the order of their numbers is what the file's other dates show. Raises `CsvFileError`.
        """
        # What is no UTF-8 comes out as lone surrogates, so that it spoils its own line only.
        self._text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        self.skipped_lines: list[str] = []
        """Lines above the header, such as a title."""
        self._above = 0
        self.header, self.columns, self._delimiter = self._find_header(chosen)
        self.order_evidence: tuple[int, str] | None = None
        """The line, and its date, that showed in which order the others are to be read."""
        self.order = dates
        if dates is None and "at" in self.columns and raw.seekable():
            self.order = self._infer_order()

    def _find_header(self, chosen: Mapping[str, str]) -> tuple[list[str], dict[str, int], str]:
        """The first line that names the columns; a `sep=` line and titles may stand above it."""
        wrong: CsvFileError | None = None
        separator, is_title = "", False
        for line in iter(self._text.readline, ""):
            if "\0" in line or not _is_utf8(line):
                wrong = wrong or CsvFileError("is not UTF-8; save it as CSV in UTF-8")
                break
            if len(self.skipped_lines) == MAX_LINES_ABOVE:
                break
            self._above += 1
            if not line.strip():
                continue
            if not separator and (said := _SEPARATOR.fullmatch(line.strip())):
                separator = said[1] if said[1] != "\\t" else "\t"
                continue
            delimiter = separator or max(_DELIMITERS, key=line.count)
            header = next(csv.reader([line], delimiter=delimiter))
            try:
                return header, find_columns(header, chosen), delimiter
            except CsvFileError as failure:
                # The first line that has several cells was most likely meant.
                if wrong is None or (is_title and len(header) > 1):
                    wrong, is_title = failure, len(header) == 1
            self.skipped_lines.append(line.strip())
        raise wrong or CsvFileError("is empty; its first line has to name the columns")

    def _infer_order(self) -> DateOrder | None:
        """In which order those dates are that can be read in one only; None where they differ."""
        start = self._text.tell()
        column, shown = self.columns["at"], dict[DateOrder, tuple[int, str]]()
        for number, cells in _rows(self._text, self._delimiter, self._above):
            if isinstance(cells, list) and len(cells) == len(self.header):
                cell = clean_cell(cells[column])
                if (order := infer_order(cell)) is not None:
                    shown.setdefault(order, (number, cell))
        self._text.seek(start)
        if len(shown) != 1:
            return None
        ((order, self.order_evidence),) = shown.items()
        return order

    def lines(self) -> Iterator[CsvLine]:
        """Every line with something in it."""
        for number, cells in _rows(self._text, self._delimiter, self._above):
            if isinstance(cells, csv.Error):
                yield CsvLine(number, [], problem=f"is not CSV: {cells}")
            elif any(cell.strip() for cell in cells):
                yield self._line(number, cells)

    def _line(self, number: int, cells: list[str]) -> CsvLine:
        if not all(map(_is_utf8, cells)):
            return CsvLine(number, cells, problem="is not UTF-8")
        if len(cells) != len(self.header):
            return CsvLine(
                number, cells, problem=f"has {len(cells)} cells, the header has {len(self.header)}"
            )
        said: dict[str, object] = {}
        for name, column in self.columns.items():
            cell = clean_cell(cells[column])
            if not cell:
                continue
            try:
                said[name] = self._parse_cell(name, cell)
            except CellError as wrong:
                return CsvLine(number, cells, problem=f"{self._describe_cell(name, cells)}: {wrong}")
        return CsvLine(number, cells, said)

    def _parse_cell(self, name: str, cell: str) -> object:
        match name:
            case "value":
                amount = parse_amount(cell)
                if amount is None:
                    raise CellError("is not an amount such as 2500, ₹499 or 1,25,000.50")
                return amount
            case "at":
                return parse_date(cell, self.order)
            case "number":
                return parse_number(cell)
        return cell

    def explain(self, line: CsvLine, reason: str) -> str:
        """What the daemon says of a line: the column in place of the field's name, and what stood there."""
        name, colon, why = reason.partition(": ")
        if colon and name in self.columns and len(line.cells) == len(self.header):
            return f"{self._describe_cell(name, line.cells)}: {why}"
        return reason

    def _describe_cell(self, name: str, cells: Sequence[str]) -> str:
        column = self.columns[name]
        cell = cells[column]
        shown = cell if len(cell) <= MAX_SHOWN_CHARS else cell[:MAX_SHOWN_CHARS] + "…"
        return f"{self.header[column].strip()} {shown!r}"


def _rows(text: io.TextIOWrapper, delimiter: str, above: int) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Each row, or what is wrong with it, and the line on which it begins; `above` lines were read before."""
    rows = csv.reader(iter(text.readline, ""), delimiter=delimiter)
    while True:
        number = above + rows.line_num + 1
        try:
            yield number, next(rows)
        except StopIteration:
            return
        except csv.Error as wrong:
            yield number, wrong


def find_columns(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """Where each field stands. Raises `CsvFileError` where one cannot be found, or is found twice."""
    plain = [_normalise_name(name) for name in header]
    found: dict[str, int] = {}
    for name, known in COLUMN_NAMES.items():
        wanted = (_normalise_name(chosen[name]),) if name in chosen else known
        places = [i for i, each in enumerate(plain) if each in wanted]
        if len(places) > 1:
            which = " and ".join(repr(header[i]) for i in places)
            raise CsvFileError(
                f"has {which}, each of which may be the {name}; choose with --map {name}=COLUMN"
            )
        if not places and name in chosen:
            raise CsvFileError(f"has no column {chosen[name]!r}; it has {', '.join(header)}")
        if places:
            found[name] = places[0]
    for name, instead in (("reference", None), ("number", "call_sid")):
        if name not in found and instead not in found:
            raise CsvFileError(
                f"has no column that is plainly the {name}; say which with --map {name}=COLUMN, "
                f"it has {', '.join(header)}"
            )
    return found


def _normalise_name(name: str) -> str:
    return _PUNCTUATION.sub("", as_visible_ascii(name)).casefold()


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)
