"""The console's pages: what they show, that they bring nothing from outside, and that they escape."""

from __future__ import annotations

import re

import pytest

from tests.store.database import CALLER, NOON
from tests.web.conftest import Private

PAGES = ["/", "/glance", "/calls/abc", "/numbers/+919876543210", "/calls/none"]


async def _page(private: Private, path: str) -> str:
    return str(await (await private.get(path)).get_data(as_text=True))


def _fill(private: Private) -> None:
    call = private.db.call("abc", redeliveries=1)
    done = private.db.done(call, "sms", "delivered", reason="sms-delivered", placed_at=NOON)
    private.db.put("attempts", action_id=done, number=1, started_at=NOON, result="accepted", message="<b>ok")
    private.db.action(call, state="held", reason="business-closed")
    private.db.call("def", campaign="other", caller=None, verdict="no-caller-id", reason="withheld-number")


async def test_today_at_a_glance(private: Private) -> None:
    _fill(private)
    page = await _page(private, "/")
    assert page.startswith("<!doctype html>")
    for text in (
        "<dt>missed calls</dt><dd>2</dd>",
        "<dt>callers</dt><dd>1</dd>",
        "<dt>busiest hour</dt><dd>12:00</dd>",
        "Mon 23 Nov 12:00:00",
        'href="/calls/abc"',
        'href="/numbers/%2B919876543210"',
        "it waits for the next opening hour",
        "withheld",
        "12:00:30",
    ):
        assert text in page
    assert await _page(private, "/glance") in page
    other = await _page(private, "/?campaign=other")
    assert "<dt>missed calls</dt><dd>1</dd>" in other
    assert 'data-from="/glance?campaign=other"' in other


async def test_an_empty_house(private: Private) -> None:
    page = await _page(private, "/")
    assert "No call has come in yet." in page
    assert "Nothing waits." in page


async def test_a_call_tells_its_story(private: Private) -> None:
    _fill(private)
    page = await _page(private, "/calls/abc")
    for text in (
        CALLER,
        "attempt 1: accepted",
        "the SMS was delivered",
        "23 Nov 2026 12:00:00",
        "&lt;b&gt;ok",
    ):
        assert text in page
    assert page in (await _page(private, "/calls/abc"))
    of_number = await _page(private, "/numbers/09876543210")
    assert 'href="/calls/abc"' in of_number


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("abc", "/calls/abc"),
        ("09876543210", "/numbers/+919876543210"),
        ("+919876543210", "/numbers/+919876543210"),
    ],
)
async def test_finding(private: Private, wanted: str, leads_to: str) -> None:
    _fill(private)
    response = await private.get(f"/find?q={wanted}")
    assert (response.status_code, response.headers["Location"]) == (302, leads_to)


@pytest.mark.parametrize(
    "path", ["/find", "/find?q=xyz", "/calls/x", "/numbers/x", "/numbers/+919000000001", "/x"]
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
    assert not re.search(r"(?:src|href|action)=\"(?!/)", page)
    assert "style=" not in page
    assert "<style" not in page
    assert not re.search(r"<script(?! src=\"/static/)", page)
    assert not re.search(r"\son[a-z]+=", page)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert response.headers["Cache-Control"] == "no-store"


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
    values = {"call_sid": "abc", field: '"><script>alert(1)</script>'}
    private.db.call(values.pop("call_sid"), **values)  # type: ignore[arg-type]
    story = "/calls/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E" if field == "call_sid" else "/calls/abc"
    for path in ("/", story):
        assert "<script>" not in await _page(private, path)
