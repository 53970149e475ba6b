"""What a person does on the console, with the keyboard or the mouse, and what comes of it."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Browser, expect

from missedd.core.reasons import Reason
from tests.browser.conftest import PASSWORD, Console, Visit
from tests.real.daemon import eventually


def notice(visit: Visit) -> str:
    return visit.text("main .notice")


def test_a_search_opens_a_callers_and_a_calls_story(visit: Visit, console: Console) -> None:
    number, sid = console.ring("admissions")
    page = visit.open("/")
    page.get_by_label("Find a call").fill(f"0{number[3:8]} {number[8:]}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/numbers/{number}")
    page.locator("main table a").first.click()
    page.wait_for_url(f"**/calls/{sid}")
    story = page.locator("main").inner_text()
    told = console.api(f"/api/v1/calls/{sid}")
    for reason in (told["reason"], *(each["reason"] for each in told["actions"])):
        assert reason in story
        words = Reason(reason).words
        assert words[:1].upper() + words[1:] in story
    assert "Still to come" in story
    page.get_by_label("Find a call").fill(sid)
    page.get_by_role("button", name="Find").click()
    page.wait_for_url(f"**/calls/{sid}")


def test_a_campaign_is_paused_and_goes_on(visit: Visit, console: Console) -> None:
    page = visit.open("/campaigns")
    card = page.get_by_role("article", name="admissions")
    card.get_by_text("Pause", exact=True).click()
    card.get_by_label("Why").fill("agents at lunch")
    card.get_by_label("How long").select_option("for an hour")
    card.get_by_role("button", name="Pause admissions").press("Enter")
    assert re.fullmatch(r"Campaign admissions is paused until .*\d\d:\d\d\.", notice(visit))
    assert "agents at lunch" in card.inner_text()
    assert "by console from 127.0.0.1" in card.inner_text()
    _, sid = console.ring("admissions")
    held = console.api(f"/api/v1/calls/{sid}")["actions"][-1]
    assert (held["kind"], held["state"], held["reason"]) == ("callback", "held", "campaign-paused")
    visit.open("/queue")
    expect(page.get_by_text("admissions is paused")).to_be_visible()
    # The counts may be some seconds old; the page asks again every five seconds.
    expect(page.locator(".counts")).to_contain_text("campaign-paused", timeout=30_000)
    visit.open("/campaigns")
    page.get_by_role("button", name="Resume admissions").click()
    assert notice(visit) == "Campaign admissions is resumed."
    assert console.api(f"/api/v1/calls/{sid}")["actions"][-1]["reason"] == "resumed"
    visit.open("/audit?subject=admissions")
    deeds = page.locator("main tbody tr").all_inner_texts()
    assert ["campaign.resumed" in deeds[0], "campaign.paused" in deeds[1]] == [True, True]
    assert all("console" in each for each in deeds[:2])


def test_what_is_typed_stays_while_the_page_lives_on(visit: Visit, console: Console) -> None:
    page = visit.open("/campaigns")
    card = page.get_by_role("article", name="sales")
    card.get_by_text("Pause", exact=True).click()
    card.get_by_label("Why").fill("half a reas")
    console.ring("sales")
    # The page asks again every five seconds.
    expect(card.get_by_text("callback planned")).to_be_visible(timeout=30_000)
    assert card.get_by_label("Why").input_value() == "half a reas"
    assert page.evaluate("document.activeElement.name") == "why"


def test_parked_webhooks_go_again_one_and_all(visit: Visit, console: Console) -> None:
    page = visit.open("/deliveries")
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(3)
    wanted = rows.first.get_attribute("data-key")
    taken = len(console.application.taken)
    rows.first.get_by_role("button", name="again").click()
    assert notice(visit).startswith(f"Webhook {wanted} is sent again")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Send all 2 again").click()
    assert notice(visit) == "2 webhooks are sent again."
    expect(page.get_by_text("No parked webhooks found.")).to_be_visible()
    eventually(lambda: len(console.application.taken) >= taken + 3)
    assert json.loads(console.application.taken[-1])["type"] == "missed_call.accepted"


def test_an_unknown_outcome_is_settled(visit: Visit, console: Console) -> None:
    page = visit.open("/unknown")
    row = page.locator("main tbody tr").first
    action = row.get_attribute("data-key")
    row.get_by_label("What became of it").select_option("answered")
    row.get_by_label("How you know").fill("she told us so")
    row.get_by_role("button", name=f"Settle action {action}").click()
    assert notice(visit) == f"Action {action} is settled: answered."
    expect(page.locator("main tbody tr")).to_have_count(1)
    (settled,) = (
        each for each in console.api("/api/v1/actions?outcome=unknown")["items"] if str(each["id"]) == action
    )
    assert (settled["settled_outcome"], settled["settled_note"]) == ("answered", "she told us so")


def test_a_number_is_suppressed_and_let_go(visit: Visit, console: Console) -> None:
    number, _ = console.ring("information")
    page = visit.open(f"/numbers/{number}")
    page.get_by_label("Why").fill("asked by mail")
    page.get_by_label("How long").select_option("for 90 days")
    page.get_by_role("button", name="Stop contact").click()
    assert notice(visit).startswith(f"{number} is suppressed until ")
    assert "by console: asked by mail" in page.locator("main").inner_text()
    page.get_by_role("button", name=f"Allow contact with {number} again").click()
    assert notice(visit) == f"{number} may be contacted again."
    assert "Contact allowed." in page.locator("main").inner_text()


def test_a_number_is_erased_by_who_knows_its_last_digits(visit: Visit, console: Console) -> None:
    number, sid = console.ring("weather")
    page = visit.open(f"/numbers/{number}")
    digits = page.get_by_label("Its last 4 digits")
    digits.fill("0000")
    page.get_by_role("button", name="Erase").click()
    assert notice(visit) == f"Nothing is changed: those are not the last 4 digits of {number}."
    digits.fill(number[-4:])
    page.get_by_role("button", name="Erase").click()
    found = re.match(rf"{re.escape(number)} is erased; .* those of (erased:\d+)\.", notice(visit))
    assert found is not None
    assert "No calls from this number." in page.locator("main").inner_text()
    assert console.api(f"/api/v1/calls/{sid}")["from"] == found[1]


def test_by_keyboard_alone(console: Console, chromium: Browser) -> None:
    context = chromium.new_context()
    visit = Visit(context, console.url)
    page = visit.open("/campaigns")
    assert page.get_by_role("button", name="Pause").count() == 0
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login?next=/campaigns")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    # The browser notes the refusal in its console; that is the only complaint.
    assert all("403" in each for each in visit.complaints)
    visit.complaints.clear()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/campaigns")
    page.get_by_role("button", name="Log out").press("Enter")
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()
    context.close()
    assert visit.complaints == []


def test_a_name_that_somebody_lets_lead_here_shows_nothing(console: Console, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    answer = page.goto(console.url.replace("127.0.0.1", "rebound.example"))
    assert answer is not None
    assert answer.status == 421
    assert 'private_hosts = ["rebound.example"]' in page.locator("body").inner_text()
    context.close()
