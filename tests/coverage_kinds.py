"""Print which lines the tests do not run, by kind. Reads the JSON report of coverage.py (`make coverage`)."""

from __future__ import annotations

import ast
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

SHOWN_FILES = 15
"""How many files are named for each kind."""


def kinds_by_line(source: str) -> dict[int, str]:
    """The kind of the innermost statement that a line is in, for the lines that have a kind."""
    kinds: dict[int, str] = {}
    for node in ast.walk(ast.parse(source)):  # outer statements come first
        match node:
            case ast.ExceptHandler():
                kind = "what follows an exception"
            case ast.Raise():
                kind = "what raises an exception"
            case _:
                continue
        kinds |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), kind)
    return kinds


def places_by_kind(file: str, report: dict[str, Any]) -> dict[str, list[str]]:
    """What of one file was not run: functions by name, other lines by number."""
    if not report["executed_lines"] and report["missing_lines"]:
        return {"modules that no test loads": [f"{len(report['missing_lines'])} lines"]}
    places: dict[str, list[str]] = defaultdict(list)
    unrun = {
        name: region for name, region in report["functions"].items() if name and not region["executed_lines"]
    }
    for name, region in unrun.items():
        if region["missing_lines"]:
            places["functions that no test calls"].append(name)
    kinds = kinds_by_line(Path(file).read_text(encoding="utf-8"))
    in_functions = {line for region in unrun.values() for line in region["missing_lines"]}
    for line in report["missing_lines"]:
        if line not in in_functions:
            places[kinds.get(line, "branches that no test takes")].append(str(line))
    return places


def main(report_file: str) -> None:
    report = json.loads(Path(report_file).read_text(encoding="utf-8"))
    lines, missing = Counter[str](), Counter[str]()
    kinds: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for file, found in report["files"].items():
        package = "/".join(Path(file).parent.parts[:2])
        lines[package] += found["summary"]["num_statements"]
        missing[package] += found["summary"]["missing_lines"]
        for kind, places in places_by_kind(file, found).items():
            kinds[kind][file] = places
    for package, count in lines.items():
        print(f"{package:24} {count:6} lines {missing[package]:5} not run")
    for kind, files in kinds.items():
        print(f"\n{kind}: {sum(map(len, files.values()))} in {len(files)} files")
        for file in sorted(files, key=lambda name: -len(files[name]))[:SHOWN_FILES]:
            print(f"  {file}: {', '.join(files[file])}")
    print(
        f"\n{report['totals']['percent_covered']:.1f} % of {sum(lines.values())} lines are run by the tests"
    )


if __name__ == "__main__":
    main(sys.argv[1])
