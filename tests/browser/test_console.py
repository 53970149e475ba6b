"""The console as a person sees it: in a real browser, light and dark, wide and narrow."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.real.daemon import Daemon

PAGES = (
    *("/", "/queue", "/campaigns", "/polls", "/leads", "/subscriptions"),
    *("/suppressions", "/deliveries", "/unknown", "/audit", "/login"),
)


def figures(daemon: Daemon) -> dict[str, int]:

    today = datetime.now(ZoneInfo("Asia/Kolkata")).date()
    found = daemon.api(f"/api/v1/analytics?since={today}")
    return {key: found[key] for key in ("total_calls", "unique_callers", "conversions", "sms_delivered")}


def ring(daemon: Daemon, sid: str, number: str = "+919876500001") -> None:
    fields = {"CallSid": sid, "From": number, "To": "+918047120003", "Status": "missed-call"}
    assert httpx.post(daemon.missed_call_url, data=fields, trust_env=False).status_code == 200


def test_the_dashboard_tells_what_the_api_tells(console: Watched, daemon: Daemon) -> None:
    page = console.open()
    for name, value in figures(daemon).items():
        expect(page.locator(f"#{name}")).to_have_text(f"{value:,}", timeout=10_000)


def test_a_call_shows_without_reloading(console: Watched, daemon: Daemon) -> None:
    page = console.open()
    page.evaluate("window.notReloaded = true")
    before = int(page.locator("#total_calls").inner_text().replace(",", ""))
    ring(daemon, f"live-{id(console)}")
    expect(page.locator("#total_calls")).to_have_text(f"{before + 1:,}", timeout=15_000)
    assert page.evaluate("window.notReloaded") is True


def test_search_opens_the_story(console: Watched, daemon: Daemon) -> None:
    sid, number = f"find-{id(console)}", f"+9198765{id(console) // 16 % 100_000:05}"
    ring(daemon, sid, number)
    page = console.open()
    page.keyboard.press("Tab")  # the way past the navigation
    expect(page.locator("a.skip")).to_be_focused()
    page.fill("#q", sid)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/calls/{sid}")
    expect(page.locator("main")).to_contain_text("irst call of this caller")
    page.fill("#q", number.replace("+91", "0"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/numbers/*")
    expect(page.locator("main")).to_contain_text("98765")


def test_nobody_changes_anything_without_a_login(console: Watched) -> None:
    page = console.open("/campaigns")
    expect(page.get_by_role("button", name=re.compile("^Pause "))).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Log in")


def test_a_campaign_is_paused_and_resumed(console: Watched) -> None:
    console.log_in()
    page = console.open("/campaigns")
    card = page.locator("article[data-key=sales]")
    card.locator("summary").click()
    card.get_by_label("Why").fill("stock-taking")
    card.get_by_role("button", name="Pause sales").click()
    expect(card.locator(".banner")).to_contain_text("stock-taking")
    console.open()
    expect(page.locator(".banner")).to_contain_text("sales")
    console.open("/campaigns")
    card.get_by_role("button", name="Resume sales").click()
    expect(card.locator(".banner")).to_have_count(0)
    console.open("/audit")
    expect(page.locator("main")).to_contain_text("sales")


def test_a_parked_webhook_is_sent_again(console: Watched, daemon: Daemon) -> None:
    console.log_in()
    page = console.open("/deliveries")
    button = page.get_by_role("button", name=re.compile(r"^Send webhook \d+ again$")).first
    parked = int(re.findall(r"\d+", button.get_attribute("aria-label") or "")[0])
    button.click()
    expect(page.locator(".notice")).to_be_visible()
    sent = [each for each in daemon.api("/api/v1/actions?kind=webhook")["items"] if each["origin"] == parked]
    assert len(sent) == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_its_window(console: Watched, width: int) -> None:
    console.log_in()
    console.page.set_viewport_size({"width": width, "height": 844})
    for path in PAGES:
        page = console.open(path)
        assert page.locator("h1").count() == 1, path
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{path} is {overflow} px too wide at {width}"
