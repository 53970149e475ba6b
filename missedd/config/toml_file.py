"""Reads the file as TOML. If it is not TOML, the error says what was probably meant.

line 3, column 8: is not TOML: text needs quotes, as in name = "admissions"
line 3, column 8: is not TOML: “ is a curly quote; write straight quotes, as in name = "admissions"
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from missedd.config.values import ConfigProblem

_WHERE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_CURLY: Final = re.compile("[\u201c\u201d\u201e\u201f\u2018\u2019\u00ab\u00bb]")
_ENTRY: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*(\[?)\s*([^\[\]{}\"'#]*?)\s*(?:[\],#].*)?")
"""A key and a value that is not a quoted string, a table, or an array of several values."""

FILE_MISSING: Final = "no such file"

_BOOLEAN_SPELLINGS: Final = {
    "yes": "true",
    "on": "true",
    "true": "true",
    "no": "false",
    "off": "false",
    "false": "false",
}


def read_toml(path: Path, problems: list[ConfigProblem]) -> dict[str, object] | None:
    """The content of the file at `path`; None if it cannot be read, with a problem that names the place."""
    source = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        problems.append(ConfigProblem("", FILE_MISSING, source=source))
    except OSError as refused:
        problems.append(ConfigProblem("", f"cannot be read: {refused.strerror or refused}", source=source))
    except UnicodeDecodeError as wrong:
        line = wrong.object.count(b"\n", 0, wrong.start) + 1
        problems.append(ConfigProblem(f"line {line}", "is not UTF-8, as TOML must be", source=source))
    except tomllib.TOMLDecodeError as wrong:
        place = _WHERE.search(str(wrong))
        where, likely = "end of file", None
        if place and place[1]:
            where = f"line {place[1]}, column {place[2]}"
            likely = _guess_slip(text.splitlines()[int(place[1]) - 1 :][:1], int(place[2]))
        reason = str(wrong)[: place.start()] if place else str(wrong)
        problems.append(
            ConfigProblem(where, f"is not TOML: {likely or reason[:1].lower() + reason[1:]}", source=source)
        )
    return None


def _guess_slip(lines: list[str], column: int) -> str | None:
    """The mistake in the line, if it is one of the usual ones."""
    line = lines[0] if lines else ""
    entry = _ENTRY.fullmatch(line)
    key = entry[1] if entry else "name"
    if curly := _CURLY.search(line, max(0, column - 2)):
        return f'{curly[0]} is a curly quote; write straight quotes, as in {key} = "…"'
    if entry is None or not entry[3]:
        return None
    flag = _BOOLEAN_SPELLINGS.get(entry[3].lower())
    if flag is not None:
        return f"write {key} = {flag}, in small letters and without quotes"
    # The message must not show the value: it may be a secret.
    example = '["…"]' if entry[2] else '"…"'
    return f"text needs quotes: write {key} = {example}"
