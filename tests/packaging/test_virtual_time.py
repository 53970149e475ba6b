"""Tests of the web and the store wait in virtual time: no test there sleeps for real."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
REAL_SERVER = TESTS / "store" / "postgresql"
"""A server of its own has no virtual clock."""
FILES = sorted(
    path
    for folder in ("store", "web")
    for path in (TESTS / folder).rglob("*.py")
    if not path.is_relative_to(REAL_SERVER)
)
CLOCK = "autojump_clock"
REAL_SLEEP = {
    "test_a_lock_of_another_program_is_waited_for_beside_the_loop": "SQLite itself waits, in a thread",
    "test_a_copy_of_another_upgrade_is_not_written_over": "the file system's clock must have gone on",
}
"""Tests that may sleep for real, by name, and why."""


def sleeps(tree: ast.AST) -> bool:
    """Whether something calls `sleep`; `sleep_forever` has no length."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(
        isinstance(call, ast.Attribute | ast.Name) and ast.unparse(call).endswith("sleep") for call in calls
    )


def real_sleepers(source: str) -> list[str]:
    """Tests of a module that sleep, or use what sleeps in the module, and do not ask for virtual time."""
    body = ast.parse(source).body
    tests = [
        node
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    sleepers = {
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node not in tests
        and sleeps(node)
    }
    return [
        test.name
        for test in tests
        if CLOCK not in {argument.arg for argument in test.args.args}
        and (sleeps(test) or sleepers & {node.id for node in ast.walk(test) if isinstance(node, ast.Name)})
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_sleeps_without_a_virtual_clock(path: Path) -> None:
    assert [name for name in real_sleepers(path.read_text("utf-8")) if name not in REAL_SLEEP] == []


def test_a_real_sleep_is_found_in_the_test_and_in_what_it_calls() -> None:
    source = """
async def slow(): await trio.sleep(1)
async def test_sleeps(): await trio.sleep(0.1)
async def test_calls_what_sleeps(): await slow()
def test_blocks(): time.sleep(1)
async def test_waits_for_ever(): await trio.sleep_forever()
async def test_has_virtual_time(autojump_clock): await slow(); await trio.sleep(1)
"""
    assert real_sleepers(source) == ["test_sleeps", "test_calls_what_sleeps", "test_blocks"]
