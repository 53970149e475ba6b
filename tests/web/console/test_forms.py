"""What the console changes: forms of a session, each answered with a redirect and a word about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from missedd.core.actions.resolution import Resolution
from missedd.core.audit import Source
from missedd.core.model import Outcome
from missedd.core.people.erasure import ErasureRefusal, ErasureResult
from missedd.web.auth.access import AccessPolicy
from tests.store.database import CALLER, NOON
from tests.web.auth.test_login import PASSWORD, csrf_of, filled_in, text
from tests.web.conftest import Private, built_private


class Browser:
    """Somebody who is logged in."""

    def __init__(self, private: Private) -> None:
        self.private = private
        self.client = private.app.test_client()
        self.csrf = ""

    async def send(self, path: str, back: str = "/campaigns", **fields: str) -> str:
        """Send a form and follow the redirect; returns what the next page says of it."""
        if not self.csrf:
            await filled_in(self.client)
            self.csrf = await csrf_of(self.client)
        response = await self.client.post(path, form=fields | {"csrf": self.csrf, "next": back})
        assert (response.status_code, response.headers.get("Location")) == (303, back)
        return told(await text(await self.client.get(back)))


def told(page: str) -> str:
    found = re.search(r'<p class="notice[^>]*>(.*?)</p>', page)
    return "" if found is None else found[1]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with built_private(tmp_path, AccessPolicy(password=PASSWORD)) as private:
        yield Browser(private)


async def test_pausing_and_resuming(browser: Browser) -> None:
    said = await browser.send("/campaigns/admissions/pause", why="lunch", lasts="1h")
    assert said == "Campaign admissions is paused until 13:00."
    pause = browser.private.operator.paused["admissions"]
    assert (pause.why, pause.until) == ("lunch", NOON + timedelta(hours=1))
    assert (pause.by.source, pause.by.peer) == (Source.CONSOLE, "<local>")
    assert await browser.send("/campaigns/admissions/pause", why="for good", lasts="") == (
        "Campaign admissions is paused until it is resumed."
    )
    assert await browser.send("/campaigns/admissions/resume") == "Campaign admissions is resumed."
    assert await browser.send("/campaigns/admissions/resume") == "admissions: the campaign is not paused."
    assert browser.private.operator.paused == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"why": " ", "lasts": "1h"}, "Please say why, for whoever asks later."),
        ({"why": "x" * 501, "lasts": "1h"}, "Please enter one line of at most 500 characters"),
        ({"why": "lunch", "lasts": "1y"}, "Please choose how long it is to last."),
        ({"why": "lunch"}, ""),
    ],
)
async def test_what_is_unclear_pauses_nothing(browser: Browser, fields: dict[str, str], said: str) -> None:
    shown = await browser.send("/campaigns/admissions/pause", **fields)
    if said:
        assert shown.startswith(said)
        assert browser.private.operator.paused == {}
    else:
        assert browser.private.operator.paused["admissions"].until is None


async def test_suppressing_and_letting_go(browser: Browser) -> None:
    back = f"/numbers/{CALLER}"
    said = await browser.send("/suppressions/add", back, number="98765 43210", reason="asked", lasts="90d")
    assert said == f"{CALLER} is suppressed until 2027-02-21 12:00."
    assert browser.private.operator.suppressed == {CALLER: ("asked", NOON + timedelta(days=90))}
    assert browser.private.operator.by[-1].source is Source.CONSOLE
    assert await browser.send("/suppressions/remove", number=CALLER) == f"{CALLER} may be contacted again."
    assert (
        await browser.send("/suppressions/remove", number=CALLER)
        == f"{CALLER}: the number is not suppressed."
    )
    assert "is not a phone number" in await browser.send(
        "/suppressions/add", number="x", reason="y", lasts=""
    )
    every = {"number": "+232 *", "reason": "fraud", "lasts": ""}
    assert await browser.send("/suppressions/add", **every) == "+232* is suppressed for ever."
    assert await browser.send("/suppressions/remove", number="+232*") == "+232* may be contacted again."


async def test_erasing_a_number_asks_for_its_last_digits(browser: Browser) -> None:
    operator, back = browser.private.operator, f"/numbers/{CALLER}"
    browser.private.db.call("c1", caller=CALLER)
    for typed in ("", "0000", CALLER[-3:]):
        said = await browser.send("/numbers/erase", back, number=CALLER, last=typed)
        assert said == f"Nothing is changed: those are not the last 4 digits of {CALLER}."
    assert operator.erased == []
    operator.erasure = ErasureRefusal.STILL_OWED
    said = await browser.send("/numbers/erase", back, number=CALLER, last=CALLER[-4:])
    assert said.startswith(f"{CALLER}: an action is still owed to the number")
    waits = {"state": "held", "reason": "campaign-paused"}
    browser.private.db.action(browser.private.db.call("c2", caller=CALLER), **waits)
    said = await browser.send("/numbers/erase", back, number=CALLER, last=CALLER[-4:])
    assert "<code>missedd resume</code> ends the pause; erase the number after that." in said
    operator.erasure = ErasureResult("erased:17", suppressions=0, consents=0)
    said = await browser.send("/numbers/erase", back, number=CALLER, last=f" {CALLER[-4:]} ")
    assert said == f"{CALLER} is erased; its calls stay counted as those of erased:17."
    assert operator.by[-1].source is Source.CONSOLE
    page = await text(await browser.client.get(back))
    assert 'action="/numbers/erase"' in page


async def test_who_may_change_nothing_sees_no_way_to_erase(browser: Browser) -> None:
    browser.private.db.call("c1", caller=CALLER)
    client = browser.private.app.test_client()
    assert 'action="/numbers/erase"' not in await text(await client.get(f"/numbers/{CALLER}"))


async def test_sending_parked_webhooks_again(browser: Browser) -> None:
    browser.private.operator.parked = {7: 8, 9: 10}
    assert await browser.send("/deliveries/7/resend", "/deliveries") == (
        "Webhook 7 is sent again, as action 8."
    )
    assert await browser.send("/deliveries/6/resend") == "Webhook 6: no webhook with this id is parked."
    assert await browser.send("/deliveries/resend") == "2 webhooks are sent again."
    assert await browser.send("/deliveries/resend") == "There is no webhook to send again."


async def test_settling(browser: Browser) -> None:
    operator = browser.private.operator
    assert await browser.send("/unknown/7/settle", outcome="answered", note="she told us") == (
        "Action 7 is settled: answered."
    )
    await browser.send("/unknown/7/settle", outcome="busy", note="")
    assert operator.resolved == [(7, Outcome.ANSWERED, "she told us"), (7, Outcome.BUSY, None)]
    assert await browser.send("/unknown/7/settle", outcome="dropped") == "Please choose what became of it."
    operator.settlement = Resolution.SETTLED_OTHERWISE
    assert "with another outcome" in await browser.send("/unknown/7/settle", outcome="answered")
    assert len(operator.resolved) == 3


async def test_ending_a_quarantine(browser: Browser) -> None:
    assert await browser.send("/quarantine/release", "/queue", drop="false") == (
        "3 actions released; the quarantine is over."
    )
    assert await browser.send("/quarantine/release", "/queue", drop="true") == (
        "3 actions dropped; the quarantine is over."
    )
    assert "Please choose" in await browser.send("/quarantine/release", "/queue", drop="")
    assert browser.private.operator.released == [False, True]


async def test_lists_and_leads(browser: Browser) -> None:
    browser.private.operator.subscribed = {("weather", CALLER)}
    assert await browser.send("/subscriptions/weather/withdraw", number=CALLER) == (
        f"{CALLER} is off the list &#39;weather&#39;."
    )
    assert "the number is not on this list" in await browser.send(
        "/subscriptions/news/withdraw", number=CALLER
    )
    assert await browser.send("/leads/1/status", status="sold") == "Please choose what the lead is."


async def test_a_word_is_read_once_and_not_used_up_by_a_refresh(browser: Browser) -> None:
    await browser.send("/campaigns/admissions/resume")
    form = {"csrf": browser.csrf, "next": "/campaigns"}
    await browser.client.post("/campaigns/admissions/resume", form=form)
    refreshed = await browser.client.get("/campaigns", headers={"Missedd-Refresh": "1"})
    assert told(await text(refreshed)) == ""
    assert (
        told(await text(await browser.client.get("/campaigns"))) == "admissions: the campaign is not paused."
    )
    assert told(await text(await browser.client.get("/campaigns"))) == ""


@pytest.mark.parametrize(
    "path",
    [
        *("/campaigns/admissions/pause", "/campaigns/admissions/resume", "/suppressions/add"),
        *("/suppressions/remove", "/subscriptions/weather/withdraw", "/deliveries/7/resend"),
        *("/deliveries/resend", "/unknown/7/settle", "/quarantine/release", "/leads/1/status", "/logout"),
    ],
)
async def test_every_change_needs_a_login_and_the_forms_own_word(browser: Browser, path: str) -> None:
    client: Any = browser.client
    everything = {
        "why": "x",
        "reason": "x",
        "lasts": "",
        "number": CALLER,
        "outcome": "busy",
        "status": "new",
    }
    response = await client.post(path, form=everything)
    assert (response.status_code, response.headers["Location"]) == (303, "/login?next=%2F")
    await filled_in(client)
    for csrf in ({}, {"csrf": "made up"}):
        assert (await client.post(path, form=everything | csrf)).status_code == 403
    assert browser.private.operator.by == []


async def test_pages_offer_changes_to_who_is_logged_in(browser: Browser) -> None:
    private, client = browser.private, browser.client
    call = private.db.call("abc")
    private.db.done(call, "webhook", "failed")
    private.db.done(call, "callback", "unknown", placed_at=NOON)
    private.db.suppression(CALLER)
    private.db.subscription(call)
    private.db.lead(call)
    private.db.put("restores", restored_at=NOON)
    buttons = {
        "/queue": "Release them",
        "/campaigns": "Pause admissions",
        "/deliveries": "Send it again",
        "/unknown": "Settle",
        "/suppressions": "Stop contact",
        "/subscriptions": "Take off",
        f"/numbers/{CALLER}": "Allow contact again",
    }
    for path, button in buttons.items():
        page = await text(await client.get(path))
        assert button not in page
        assert 'method="post"' not in page
    await filled_in(client)
    for path, button in buttons.items():
        page = await text(await client.get(path))
        assert button in page
        assert page.count('method="post"') == page.count('name="csrf"')
