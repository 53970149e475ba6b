"""The map of the house: folders that one can look through, and arrows between them without a circle."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted(path for top in ("missedd", "simulator") for path in (ROOT / top).rglob("*.py"))
FOLDER_OF: Final = {".".join(path.relative_to(ROOT).with_suffix("").parts): path.parent for path in FILES} | {
    ".".join(path.parent.relative_to(ROOT).parts): path.parent for path in FILES
}
MOST_FILES: Final = 25
MOST_COMMANDS: Final = 30


def test_no_folder_holds_more_files_than_one_can_look_through() -> None:
    for folder, count in Counter(path.parent for path in FILES).items():
        assert count <= (MOST_COMMANDS if folder.name == "commands" else MOST_FILES), folder


def test_the_graph_of_packages_has_no_circle() -> None:
    """A package is a folder; an import for annotations alone is no arrow."""
    arrows: defaultdict[Path, set[Path]] = defaultdict(set)
    for path in FILES:
        for module in _imported(ast.parse(path.read_text("utf-8"))):
            if module in FOLDER_OF and FOLDER_OF[module] != path.parent:
                arrows[path.parent].add(FOLDER_OF[module])
    order = [*TopologicalSorter(arrows).static_order()]  # raises CycleError, which names the circle
    assert ROOT / "missedd" / "engine" in order


def _imported(node: ast.AST) -> Iterator[str]:
    """The modules that are imported when the code runs, in functions too; a submodule as such."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            submodules = [f"{child.module}.{alias.name}" for alias in child.names]
            yield from (each if each in FOLDER_OF else child.module for each in submodules)
        else:
            yield from _imported(child)


def test_a_class_name_stands_for_one_thing_in_the_whole_house() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
