"""Every file that the documentation names exists, and every function of a way through the house."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from tests.docs.markdown import PAGES, ROOT, Page, page

_FILE = re.compile(
    r"(?:\.ci|bench|docs|missedd|ops|scenarios|simulator|tests)(?:/[\w.-]+)+(?:\.\w+|/)?|"
    r"(?:requirements[\w-]*\.lock|pyproject\.toml|Makefile|missedd\.example\.toml|missedd[\w-]*\.(?:service|socket))"
)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_file_that_is_named_exists(page: Page) -> None:
    for span in page.code_spans:
        if _FILE.fullmatch(span):
            assert (ROOT / span).exists(), f"{page}: {span}"


def test_each_step_of_the_ways_through_the_house_names_functions_that_exist() -> None:
    text = page("docs/architecture.md").text.partition("## The five ways")[2].partition("\n## ")[0]
    steps = [line for line in text.splitlines() if re.match(r"\d+\. ", line)]
    assert len(steps) >= 20
    for step in steps:
        path, *names = re.findall(r"`([^`]+)`", step.partition(":")[0])
        known = {
            node.name
            for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert names, step
        assert set(names) <= known, step


def _packages() -> list[str]:
    roots = (ROOT / "missedd", ROOT / "simulator")
    folders = {file.parent.relative_to(ROOT).as_posix() for root in roots for file in root.rglob("*.py")}
    return sorted(folders)


@pytest.mark.parametrize("package", _packages())
def test_each_package_has_its_line(package: str) -> None:
    assert f"| `{package}/` | " in page("docs/architecture.md").text


def _layers() -> list[list[str]]:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    return [contract["layers"] for contract in contracts if contract["type"] == "layers"]


@pytest.mark.parametrize("layers", _layers(), ids=lambda layers: layers[0])
def test_each_order_of_packages_is_drawn_as_the_import_contracts_have_it(layers: list[str]) -> None:
    bare = [re.sub(r"(missedd|simulator)\.", "", layer) for layer in layers]
    text = " ".join(page("docs/architecture.md").text.split())
    assert " → ".join(f"`{layer}`" for layer in bare) in text
