"""docs/logs.md names every event that the daemon can log, once."""

from __future__ import annotations

import re
from pathlib import Path

from missedd.log.logger import Event

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text("utf-8")


def test_page_names_every_event_and_no_other() -> None:
    tables = PAGE.partition("\n## Events\n")[2]
    cells = re.findall(r"^\| (.+?) \|", tables, re.MULTILINE)
    assert sorted(name for cell in cells for name in re.findall(r"`([a-z_.]+)`", cell)) == sorted(Event)
