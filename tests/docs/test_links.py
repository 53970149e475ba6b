"""Every link in the documentation leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, Page


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_relative_link_leads_to_a_file_and_a_heading_that_exist(page: Page) -> None:
    for link in page.links:
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in Page(target).anchors, f"{page}: {link}"


def test_the_map_names_every_page() -> None:
    linked = {Path(link.partition("#")[0]).as_posix() for link in Page(ROOT / "docs" / "index.md").links}
    pages = {page.path.relative_to(ROOT / "docs").as_posix() for page in PAGES if "docs" in page.path.parts}
    decisions = {name for name in pages if name.startswith("design/0")}
    assert pages - decisions - {"index.md"} <= linked
    index = Page(ROOT / "docs" / "design" / "index.md")
    assert {f"design/{link}" for link in index.links if link.startswith("0")} == decisions


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("## What is kept", "what-is-kept"),
        ("### `[exotel]`, in *words*", "exotel-in-words"),
        ("## See [here](there.md)", "see-here"),
    ],
)
def test_a_heading_has_the_anchor_that_github_gives_it(tmp_path: Path, text: str, anchor: str) -> None:
    file = tmp_path / "page.md"
    file.write_text(text + "\n", "utf-8")
    assert Page(file).anchors == {anchor}
