"""docs/metrics.md says what `/metrics` shows."""

from __future__ import annotations

from tests.ops.metrics_table import FILE, HEAD, table


def test_the_table_is_that_of_the_exposition() -> None:
    assert FILE.read_text("utf-8") == HEAD + table(), "renew it: python -m tests.ops.metrics_table"
