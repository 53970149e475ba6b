"""How the pages look: nothing sticks out at any width, in either theme, and they show quickly.

With MISSEDD_SHOTS=FOLDER each page is also kept as a picture, to be looked at; `-rP` shows how quick.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.conftest import PHONE, WIDE, Console, Visit

PAGES = {
    "today": "/",
    "queue": "/queue",
    "campaigns": "/campaigns",
    "polls": "/polls",
    "leads": "/leads",
    "lists": "/subscriptions",
    "suppressed": "/suppressions",
    "deliveries": "/deliveries",
    "unknown": "/unknown",
    "audit": "/audit",
    "nodes": "/nodes",
    "nothing": "/find?q=nothing",
}
SHOTS = os.environ.get("MISSEDD_SHOTS")
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def paint_ms(page: Page) -> int:
    return int(page.wait_for_function(PAINT).json_value())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_nothing_sticks_out(
    console: Console,
    chromium: Browser,
    session: StorageState,
    size: str,
    theme: str,
) -> None:
    viewport = PHONE if size == "phone" else WIDE
    context = chromium.new_context(
        viewport=viewport,  # type: ignore[arg-type]
        storage_state=session,
        color_scheme=theme,  # type: ignore[arg-type]
    )
    visit = Visit(context, console.url)
    page, too_wide = visit.page, []
    call = console.api("/api/v1/actions?outcome=unknown")["items"][0]
    paths = PAGES | {"story": f"/calls/{call['call_sid']}", "number": f"/numbers/{call['number']}"}
    for name, path in paths.items():
        page.goto(console.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        print(f"{name}: first painted after {paint_ms(page)} ms")
        if page.evaluate(OVERFLOWS):
            too_wide.append(name)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{size}-{theme}.png", full_page=size == "wide")
    context.close()
    assert too_wide == []
    # What is not there is told of by the browser as well.
    assert [each for each in visit.complaints if "404" not in each] == []


def test_the_paper_is_dark_by_night(console: Console, chromium: Browser) -> None:
    shades = []
    for theme in ("light", "dark"):
        context = chromium.new_context(color_scheme=theme)
        page = context.new_page()
        page.goto(console.url)
        shades.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert shades == ["rgb(245, 246, 248)", "rgb(17, 21, 26)"]


def test_a_page_does_not_jump_while_it_lives(visit: Visit) -> None:
    for _ in range(8):
        page = visit.open("/")
        seen = page.evaluate(
            """() => new Promise((done) => {
                const words = () => document.getElementById("live").innerText.replace(/[0-9]+/g, "0");
                const before = words(), moved = [];
                new PerformanceObserver((list) => {
                    for (const each of list.getEntries()) {
                        moved.push([each.value, ...each.sources.map(({ node }) => node?.nodeName)]);
                    }
                }).observe({ type: "layout-shift", buffered: true });
                setTimeout(() => done({ news: words() !== before, moved }), 2600);
            })"""
        )
        # What has news may make room for it; what has none stays where it is, however often it is fetched.
        if not seen["news"]:
            assert sum(value for value, *_ in seen["moved"]) < 0.01, seen["moved"]
            return
    pytest.fail("the page was never at rest")
