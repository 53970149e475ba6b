"""Each page of the console: what it shows, that it loads nothing from elsewhere, and that it escapes."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from missedd.core.api_types.analytics import HourJson, WeekdayHourJson
from missedd.web.console.lists import PAGE_SIZE
from missedd.web.console.query_parameters import PAGE_PARAMETERS
from missedd.web.console.template_filters import coded, lasting, spaced
from missedd.web.console.today import Heat, shares, weekly_heatmap
from tests.core.campaigns import SECOND_EXOPHONE
from tests.store.database import CALLER, NOON
from tests.web.conftest import Private

PAGES = (
    *("/", "/?campaign=admissions", "/queue", "/campaigns", "/polls", "/leads", "/subscriptions"),
    *("/suppressions", "/deliveries", "/unknown", "/audit", "/login", "/calls/abc"),
    *("/numbers/+919876543210", "/calls/none"),
)


def _fill(private: Private) -> None:
    db = private.db
    call = db.call("abc", redeliveries=1)
    done = db.done(call, "sms", "delivered", reason="sms-delivered", placed_at=NOON)
    db.put("attempts", action_id=done, number=1, started_at=NOON, result="accepted", message="<b>ok")
    db.action(call, state="held", reason="business-closed")
    db.action(call, due_at=NOON - timedelta(seconds=5))
    parked = db.done(call, "webhook", "failed", reason="retries-exhausted")
    failed = {
        "result": "refused",
        "code": "connection-refused",
        "message": "https://crm.example.in/x: the connection",
    }
    db.put("attempts", action_id=parked, number=1, started_at=NOON, **failed)
    db.done(call, "callback", "unknown", reason="not-found", placed_at=NOON)
    db.lead(call)
    db.subscription(call)
    db.suppression(CALLER, reason="asked by mail")
    db.pause(why="agents at lunch")
    db.call("def", campaign="other", caller=None, verdict="no-caller-id", reason="withheld-number")
    audited = {"at": NOON, "source": "console", "deed": "number.suppressed", "subject": CALLER}
    db.put("audit", details='{"reason":"asked","until":"2026-12-24T06:30:00.000Z"}', **audited)


SHOWN_ON = {
    "/": (
        '<dd id="total_calls">2</dd>',
        '<span id="unique_callers">1</span> callers',
        '<dd id="callbacks_pending">2</dd>',
        '<dd id="callbacks_failed">1</dd>',
        "Mon 23 Nov",
        "peak at 12:00",
        'href="/calls/abc"',
        'href="/numbers/%2B919876543210"',
        "withheld",
        "1 webhook</a> could not be delivered",
        "1 outcome is</a> unknown",
        "agents at lunch",
    ),
    "/queue": (
        "it waits until the business opens",
        "done by 12:00 at 60 per minute",
        "1 more within an hour",
        "12:00:30",
        "agents at lunch",
    ),
    "/campaigns": (
        *("+91 80471 20001", "lead, callback", "agents at lunch", "until somebody resumes it"),
        "<dt>Calls back</dt><dd>30s after the call",
    ),
    "/polls": ("The configuration has no poll.",),
    "/leads": ("+91 98765 43210", "<option>admissions</option>", "/api/v1/leads?format=csv"),
    "/subscriptions": ("daily alerts", "/api/v1/subscriptions?format=csv"),
    "/suppressions": ("asked by mail", "for ever"),
    "/deliveries": ("every attempt failed", "connection-refused", "https://crm.example.in/x: the connection"),
    "/unknown": ("it is not sent again, to avoid sending it twice", "callback"),
    "/audit": ("number.suppressed", "asked", "console", "24 Dec 2026 12:00:00"),
    "/calls/abc": (
        "SMS, attempt 1: accepted",
        "The SMS was delivered",
        "Exotel delivered it again 1 times",
        "23 Nov 2026 12:00:00",
        "&lt;b&gt;ok",
        "Still to come",
        "<code>business-closed</code>",
    ),
    "/numbers/09876543210": (
        "This number is not contacted",
        "asked by mail",
        'href="/calls/abc"',
        "daily alerts",
        ": new</p>",
    ),
}


@pytest.mark.parametrize("path", SHOWN_ON)
async def test_what_a_page_shows(private: Private, path: str) -> None:
    _fill(private)
    page = (await private.html(path)).replace("\N{NO-BREAK SPACE}", " ")
    assert page.startswith("<!doctype html>")
    for text in SHOWN_ON[path]:
        assert text in page


async def test_a_numbers_page_says_what_each_suppression_bars(private: Private) -> None:
    learned = {"source": "provider", "since_at": NOON, "reason": "sms 23020"}
    private.db.put(
        "suppressions", number=CALLER, channel="sms", **{"class": "sender", "sender": "EXAMPL"}, **learned
    )
    private.db.suppression("+91*", reason="the whole country")
    page = await private.html("/numbers/09876543210")
    assert "No SMS from EXAMPL to this number, since" in page
    assert "This number is not contacted (prefix +91*), since" in page
    listed = await private.html("/suppressions")
    assert "<small>No SMS from EXAMPL to this number</small>" in listed
    assert 'href="/numbers/%2B91%2A"' not in listed


async def test_one_campaign_of_many(private: Private) -> None:
    _fill(private)
    other = await private.html("/?campaign=other")
    assert '<dd id="total_calls">1</dd>' in other
    assert '<a href="/?campaign=other" aria-current="page">other</a>' in other


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_works_on_an_empty_database(private: Private, path: str) -> None:
    response = await private.get(path)
    assert response.status_code == (404 if path.startswith("/calls/") else 200)
    assert private.failures == []


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("abc", "/calls/abc"),
        ("09876543210", "/numbers/+919876543210"),
        ("+919876543210", "/numbers/+919876543210"),
    ],
)
async def test_search_leads_to_the_page_of_the_number_or_call(
    private: Private, wanted: str, leads_to: str
) -> None:
    _fill(private)
    response = await private.get(f"/find?q={wanted}")
    assert (response.status_code, response.headers["Location"]) == (302, leads_to)


@pytest.mark.parametrize(
    "path", ["/find", "/find?q=xyz", "/calls/x", "/numbers/x", "/polls/x", "/leads?cursor=x", "/x"]
)
async def test_what_is_not_there_is_a_page_that_says_so(private: Private, path: str) -> None:
    response = await private.get(path)
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "<h1>Not Found</h1>" in await response.get_data(as_text=True)


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_comes_from_outside_and_nothing_runs_inline(private: Private, path: str) -> None:
    _fill(private)
    response = await private.get(path)
    page = await response.get_data(as_text=True)
    assert not re.search(r"(?:src|href|action)=\"(?![/#])", page)
    assert "style=" not in page
    assert "<style" not in page
    assert not re.search(r"<script(?! src=\"/static/)", page)
    assert not re.search(r"\son[a-z]+=", page)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
async def test_pages_work_with_keyboard_and_screen_reader(private: Private, path: str) -> None:
    _fill(private)
    page = await private.html(path)
    assert '<a class="skip" href="#main">' in page
    assert page.count("<h1>") == 1
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for name in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert name in ids
    for control in re.findall(r"<(?:input|select)\b[^>]*>", page):
        is_named = "hidden" in control or "aria-label=" in control
        within = page[: page.index(control)].rpartition("<label")[2]
        assert is_named or "</label>" not in within or f'for="{_id(control)}"' in page, control
    shown = re.findall(r'<a href="([^"]+)" aria-current="page">', page)
    assert len(shown) <= 2


def _id(control: str) -> str | None:
    found = re.search(r'\sid="([^"]+)"', control)
    return found[1] if found else None


async def test_what_is_shipped(private: Private) -> None:
    for name, kind in (
        ("console.css", "text/css"),
        ("console.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ):
        response = await private.get(f"/static/{name}")
        assert (response.status_code, response.mimetype) == (200, kind)
        text = await response.get_data(as_text=True)
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert (await private.get("/static/other")).status_code == 404
    assert (await private.get("/static/..%2Fprivate.py")).status_code == 404


@pytest.mark.parametrize("field", ["campaign", "verdict", "reason", "call_sid", "exophone"])
async def test_whatever_was_received_is_only_text(private: Private, field: str) -> None:
    values = {"call_sid": "abc", "verdict": "accepted"} | {field: '"><script>alert(1)</script>'}
    if field == "verdict":
        values["verdict"] = "accepted"
        values["exophone"] = "<script>"
    private.db.call(values.pop("call_sid"), **values)  # type: ignore[arg-type]
    story = "/calls/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E" if field == "call_sid" else "/calls/abc"
    for path in ("/", story, f"/numbers/{CALLER}"):
        page = await private.html(path)
        assert "<script>" not in page
        assert "<h1>" in page
    assert private.failures == []


async def test_lists_go_on_and_are_filtered(private: Private) -> None:
    call = private.db.call("abc")
    for n in range(PAGE_SIZE + 1):
        private.db.lead(call, f"+9190000{n:05d}", campaign="admissions" if n else "other")
    first = await private.html("/leads")
    assert first.count('data-label="Number"') == PAGE_SIZE
    older = re.search(r'href="(/leads\?cursor=[^"]+)" rel="next"', first)
    assert older is not None
    second = await private.html(older[1])
    assert second.count('data-label="Number"') == 1
    assert ">Newest</a>" in second
    assert (await private.html("/leads?campaign=other")).count('data-label="Number"') == 1
    assert (await private.html("/leads?number=90000 00007")).count('data-label="Number"') == 1
    nobody = await private.html("/leads?number=nobody")
    assert "&#39;nobody&#39; is not a phone number." in nobody
    assert nobody.count('data-label="Number"') == 0


def test_charts_of_nothing_and_of_something() -> None:
    assert shares([HourJson(0, 0)]) == [(HourJson(0, 0), 0)]
    assert [share for _, share in shares([HourJson(0, 2), HourJson(1, 4)])] == [0.5, 1]
    hour = WeekdayHourJson(0, 0, 0)
    assert weekly_heatmap([hour]) == Heat([(hour, 0)], None, 0)
    week = weekly_heatmap([WeekdayHourJson(0, 9, 1), WeekdayHourJson(6, 21, 4)])
    assert (week.busiest, week.most) == ("Sun 21:00", 4)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "0 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (3599, "59 min"), (7_260, "2 h 1 min")],
)
def test_durations_as_people_read_them(seconds: float | None, text: str) -> None:
    assert lasting(seconds) == text


def test_numbers_as_people_read_them() -> None:
    assert spaced("+919876543210").replace("\N{NO-BREAK SPACE}", " ") == "+91 98765 43210"
    assert (spaced("+4930123456"), spaced(None)) == ("+4930123456", "withheld")


async def test_commands_are_shown_as_such(private: Private) -> None:
    private.db.action(private.db.call("abc"), state="held", reason="quarantined")
    for path in ("/queue", "/calls/abc"):
        page = await private.html(path)
        assert "until an operator runs <code>missedd release</code>" in page
        assert "`" not in page.partition("<main")[2]
    assert coded("<b> `a < b` ") == "&lt;b&gt; <code>a &lt; b</code> "


@pytest.mark.parametrize("path", ["/", "/leads", "/audit", "/queue", "/calls/abc"])
async def test_what_a_page_does_not_know_in_its_address_is_said(private: Private, path: str) -> None:
    private.db.call("abc")
    response = await private.get(f"{path}?since=2026-11-01")
    assert response.status_code == 400
    assert "This page has no parameter &#39;since&#39;" in await response.get_data(as_text=True)
    assert (await private.get(path)).status_code == 200


async def test_every_filter_of_a_form_is_known(private: Private) -> None:
    for path, names in PAGE_PARAMETERS.items():
        page = "" if path == "/find" else await private.html(path)
        filters = page.partition("<main")[2].partition('method="post"')[0]
        asked = set(re.findall(r'<(?:select|input)[^>]* name="(\w+)"', filters))
        assert asked - {"q"} <= set(names), path


async def test_what_to_do_stands_in_a_story(private: Private) -> None:
    call = private.db.call("abc", campaign="other", exophone=SECOND_EXOPHONE)
    private.db.done(call, "sms", "failed", reason="sms-misconfigured", code="23182")
    page = await private.html("/calls/abc")
    assert '<h2 id="to-do">What to do</h2>' in page
    assert "No callback was triggered, because campaign &#34;other&#34; does not call back" in page
    assert "as a template on the operators&#39; DLT portal" in page
    private.db.call("fine")
    assert "What to do" not in await private.html("/calls/fine")


async def test_what_is_kept_of_an_action(private: Private) -> None:
    call = private.db.call("abc")
    link = "https://recordings.exotel.com/x.mp3?a=1&b=2"
    for recording in (link, "javascript:alert(1)"):
        details = json.dumps({"talk_s": "8", "recording_url": recording})
        private.db.done(call, "callback", "answered", placed_at=NOON, details=details)
    private.db.done(call, "sms", "delivered", details='{"text":"<b>Thank you.</b>"}')
    for path in ("/calls/abc", "/numbers/+919876543210"):
        page = await private.html(path)
        assert f'<a href="{link.replace("&", "&amp;")}" rel="noreferrer">Recording</a>' in page
        assert page.count("noreferrer") == 1
        assert 'href="javascript:' not in page
        assert "Talk time: 8 s" in page
        assert "Text: &lt;b&gt;Thank you.&lt;/b&gt;" in page
