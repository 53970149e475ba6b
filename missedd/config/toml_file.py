"""Reads the file as TOML, and says of what is no TOML what was likely meant.

line 3, column 8: is not TOML: text needs quotes, as in name = "admissions"
line 3, column 8: is not TOML: “ is a curly quote; write straight ones, as in name = "admissions"
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
"""A key and a value that is neither a text in quotes, a table nor an array of several."""

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
    """What the file at `path` says; None, and a problem with its place, where it cannot be read."""
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
        found = _WHERE.search(str(wrong))
        where, likely = "end of file", None
        if found and found[1]:
            where = f"line {found[1]}, column {found[2]}"
            likely = _guess_slip(text.splitlines()[int(found[1]) - 1 :][:1], int(found[2]))
        reason = str(wrong)[: found.start()] if found else str(wrong)
        problems.append(
            ConfigProblem(where, f"is not TOML: {likely or reason[:1].lower() + reason[1:]}", source=source)
        )
    return None


def _guess_slip(lines: list[str], column: int) -> str | None:
    """What is wrong with the line, if it is one of the usual slips."""
    line = lines[0] if lines else ""
    entry = _ENTRY.fullmatch(line)
    key = entry[1] if entry else "name"
    if curly := _CURLY.search(line, max(0, column - 2)):
        return f'{curly[0]} is a curly quote; write straight ones, as in {key} = "…"'
    if entry is None or not entry[3]:
        return None
    flag = _BOOLEAN_SPELLINGS.get(entry[3].lower())
    if flag is not None:
        return f"write {key} = {flag}, in small letters and without quotes"
    # Not the value itself: it may be a secret that does not belong here.
    example = '["…"]' if entry[2] else '"…"'
    return f"text needs quotes: write {key} = {example}"
