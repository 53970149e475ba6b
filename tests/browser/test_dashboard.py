"""Today's page in a browser: its figures are the API's, and it follows what happens without a reload."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from missedd.web.console.today import DAYS, WEEKS
from tests.browser.conftest import Console, Visit
from tests.browser.shop import INDIA

FIGURES = ("total_calls", "unique_callers", "callbacks_answered", "conversions", "sms_delivered")


def figures(console: Console, campaign: str | None = None, weeks: int = 0) -> Any:
    midnight = datetime.combine(datetime.now(INDIA).date(), time(), INDIA) - timedelta(weeks=weeks)
    of = f"&campaign={campaign}" if campaign else ""
    return console.api(f"/api/v1/analytics?since={quote(midnight.isoformat())}{of}")


def titles(visit: Visit, selector: str) -> dict[str, int]:
    """What the bars or the cells of a picture say, by what they stand for."""
    found = visit.page.locator(f"{selector} rect title").all_text_contents()
    return {name: int(n) for name, n in (each.split(": ") for each in found)}


@pytest.mark.parametrize("campaign", [None, "admissions", "sales"])
def test_dashboard_figures_equal_the_api(visit: Visit, console: Console, campaign: str | None) -> None:
    visit.open("/" if campaign is None else f"/?campaign={campaign}")
    told = figures(console, campaign)
    assert told["total_calls"] > 20
    assert {name: visit.number(f"#{name}") for name in FIGURES} == {name: told[name] for name in FIGURES}
    assert visit.text("#callback_success_rate") == f"{told['callback_success_rate'] * 100:.0f} %"
    callbacks = [each for each in told["actions"] if each["kind"] == "callback"]
    pending = sum(each["count"] for each in callbacks if each["outcome"] is None)
    ended = ("no-answer", "busy", "failed", "refused", "unknown")
    failed = sum(each["count"] for each in callbacks if each["outcome"] in ended)
    assert (visit.number("#callbacks_pending"), visit.number("#callbacks_failed")) == (pending, failed)
    assert titles(visit, ".hours") == {f"{each['hour']:02d}:00": each["calls"] for each in told["peak_hours"]}
    weeks = figures(console, campaign, WEEKS)["weekday_hours"]
    assert titles(visit, ".heat") == {
        f"{DAYS[each['weekday']]} {each['hour']:02d}:00": each["calls"] for each in weeks
    }


def test_a_call_shows_without_a_reload_and_disturbs_nobody(visit: Visit, console: Console) -> None:
    page = visit.open("/")
    before = visit.number("#total_calls")
    page.evaluate("window.isTheSame = true")
    page.get_by_label("Find a call").fill("half a number")
    page.keyboard.press("Shift+ArrowLeft")
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => window.scrollY === 300")
    link = page.locator("main table a.number").first
    row = link.text_content()
    number, sid = console.ring("admissions")
    expect(page.locator("#total_calls")).to_have_text(str(before + 1))
    assert page.evaluate("[window.isTheSame, window.scrollY]") == [True, 300]
    field = "document.activeElement"
    assert page.evaluate(f"[{field}.id, {field}.value, {field}.selectionEnd - {field}.selectionStart]") == [
        *("q", "half a number", 1),
    ]
    first = page.locator("main tbody tr").first
    expect(first).to_have_attribute("data-key", sid)
    assert re.sub(r"\s", "", first.locator("a.number").inner_text()) == number
    # The row that was the first is the same element, one further down.
    assert page.locator("main tbody tr").nth(1).locator("a.number").text_content() == row


def test_the_focus_stays_on_a_row_that_moves(visit: Visit, console: Console) -> None:
    page = visit.open("/")
    row = page.locator("main tbody tr").first.get_attribute("data-key")
    page.locator("main tbody tr").first.locator("a.number").focus()
    _, sid = console.ring("sales")
    page.locator(f'tr[data-key="{sid}"]').wait_for()
    focused = page.evaluate("document.activeElement.closest('tr').dataset.key")
    assert focused == row


def test_dashboard_says_when_it_is_stale(visit: Visit) -> None:
    page = visit.open("/")
    status = page.get_by_role("status").filter(has_text="does not answer")
    expect(status).to_be_hidden()
    visit.context.set_offline(True)
    expect(status).to_be_visible(timeout=15_000)
    visit.context.set_offline(False)
    expect(status).to_be_hidden(timeout=15_000)
    # The browser itself complains of requests that fail; of nothing else.
    assert all("ERR_INTERNET_DISCONNECTED" in each for each in visit.complaints)
    visit.complaints.clear()


def test_votes_are_seen_as_they_come(visit: Visit, console: Console) -> None:
    page = visit.open("/polls")
    votes = page.locator('li[data-key="Ravi"] .votes b')
    before = visit.number('li[data-key="Ravi"] .votes b')
    page.evaluate("window.isTheSame = true")
    console.ring("vote-ravi")
    # The page alone would look again only after ten seconds: the stream tells it to.
    expect(votes).to_have_text(str(before + 1), timeout=6_000)
    assert page.evaluate("window.isTheSame")
    told = console.api("/api/v1/polls/singer")
    assert {each["option"]: each["votes"] for each in told["options"]} == {
        option: visit.number(f'li[data-key="{option}"] .votes b') for option in ("Asha", "Ravi")
    }
