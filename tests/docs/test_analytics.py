"""docs/analytics.md explains every figure that the API and `missedd report` give."""

from __future__ import annotations

import re
from pathlib import Path

from missedd.core.api_types.analytics import FiguresJson

PAGE = (Path(__file__).parents[2] / "docs" / "analytics.md").read_text("utf-8")


def test_page_explains_every_figure_and_no_other() -> None:
    table = PAGE.partition("## The figures")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    explained = [name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)]
    assert sorted(explained) == sorted(FiguresJson.__struct_fields__)
