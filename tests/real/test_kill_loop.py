"""A few kills in a row; many more by `python -m tests.real.kill_loop`."""

from __future__ import annotations

from pathlib import Path

from tests.real.kill_loop import run


def test_five_kills_in_a_row_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    total = run(tmp_path, 5, 1, said.append, looked_s=10)
    assert total.passed, total
    assert total.acknowledged > 0
    assert total.rung > 0
    assert total.again + total.waiting > 0
