"""The pages of the documentation, as the tests of documents read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_LINK_TEXT = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is that of its first line in the page, from 1."""

    page: Page
    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def blocks(self) -> list[Block]:
        return [
            Block(self, found[2], found[3], self.text.count("\n", 0, found.start(3)) + 1)
            for found in _FENCE.finditer(self.text)
        ]

    @cached_property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def code_spans(self) -> list[str]:
        """What stands between backticks in the prose."""
        return _CODE.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """The targets of links and pictures, as they are written."""
        return _LINK.findall(_CODE.sub("", self.prose))

    @property
    def anchors(self) -> set[str]:
        """The names by which GitHub knows the headings. The second heading of a name has a `-1` behind it."""
        anchors: set[str] = set()
        for heading in _HEADING.findall(self.prose):
            text = _LINK_TEXT.sub(r"\1", heading).replace("`", "")
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = sum(1 for known in anchors if re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", known))
            anchors.add(f"{anchor}-{count}" if count else anchor)
        return anchors


PAGES: Final = [
    Page(path)
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    )
]


def page(name: str) -> Page:
    """A page by its path in the repository, such as `docs/webhooks.md`."""
    return Page(ROOT / name)


def blocks_in(*languages: str) -> list[Block]:
    """The fenced blocks of all pages in one of these languages."""
    return [block for page in PAGES for block in page.blocks if block.language in languages]
