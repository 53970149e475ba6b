"""A page of somebody else's, open in an operator's browser: it reads nothing and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from missedd.web.auth.allowed_hosts import AllowedHosts
from tests.store.database import CALLER
from tests.web.auth.test_login import PASSWORD, SUPPRESS, TOKEN, Opened, csrf_of, filled_in, opened, text

__all__ = ["opened"]

NAMED = AllowedHosts(frozenset({"missedd.example.in", "203.0.113.9"}), "missedd-vm")
KNOWN = [
    "localhost",
    "LocalHost.:9000",
    "127.0.0.1:8081",
    "127.8.9.10",
    "[::1]:8081",
    "[::ffff:127.0.0.1]:1",
    "Missedd.Example.In:8443",
    "missedd.example.in.",
    "missedd-vm:8081",
    "203.0.113.9",
]
UNKNOWN = [
    "evil.example",
    "localhost.evil.example:8081",
    "evil-localhost",
    "missedd.example.in.evil.example",
    "a.missedd.example.in",
    "203.0.113.10",
    "[2001:db8::7]:8081",
    "0.0.0.0:8081",
    "127.1",
    "user@localhost",
    "localhost:x",
    "",
]
READ = [
    "/",
    "/glance",
    "/calls/abc",
    "/api/v1/calls",
    "/api/openapi.json",
    "/login",
    "/static/console.css",
    "/no",
]


@pytest.mark.parametrize("keys", [{}, {"password": PASSWORD}, {"password": PASSWORD, "api_token": TOKEN}])
async def test_only_known_names_are_answered_where_reading_needs_no_password(
    opened: Opened, keys: dict[str, Any]
) -> None:
    _, browser = opened(hosts=NAMED, **keys)
    for host in KNOWN:
        assert (await browser.get("/api/v1/calls", headers={"Host": host})).status_code == 200
    for host in UNKNOWN:
        for path in READ if host == UNKNOWN[0] else READ[:1]:
            response = await browser.get(path, headers={"Host": host})
            assert response.status_code == 421, (host, path)
            assert CALLER not in await text(response)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        response = await browser.post("/api/v1/suppressions", json=SUPPRESS, headers={"Host": host} | bearer)
        assert response.status_code == 421
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await browser.get(path, headers={"Host": host})).status_code == 200


async def test_the_refusal_has_the_line_to_add(opened: Opened) -> None:
    _, browser = opened()
    line = 'private_hosts = ["missedd.example.in"]'
    headers = {"Host": "Missedd.Example.in:8081"}
    page = await browser.get("/", headers=headers)
    assert page.content_type == "text/plain; charset=utf-8"
    assert f"\n    {line}\n" in await text(page)
    problem = await browser.get("/api/v1/calls", headers=headers)
    assert problem.content_type == "application/problem+json"
    assert line in (await problem.get_json())["detail"]
    nonsense = await text(await browser.get("/", headers={"Host": "a@b <b>"}))
    assert nonsense == "the Host header is no host name"


async def test_a_program_that_says_no_name_is_no_browser(opened: Opened) -> None:
    private, _ = opened()
    assert NAMED.allows(None, "127.0.0.1")
    assert private.operator.by == []


def test_the_address_at_which_a_request_came_in_is_ours() -> None:
    assert NAMED.allows("[fe80::1]:8081", "fe80::1")
    assert NAMED.allows("198.51.100.4:8081", "198.51.100.4")
    assert not NAMED.allows("198.51.100.4:8081", "198.51.100.5")
    assert not NAMED.allows("evil.example", "evil.example")


async def test_on_a_public_address_nothing_is_shown_by_any_name(opened: Opened) -> None:
    _, browser = opened(password=PASSWORD, api_token=TOKEN, is_loopback=False, is_public=True)
    evil = {"Host": "evil.example"}
    assert (await browser.get("/api/v1/calls", headers=evil)).status_code == 401
    assert (await browser.get("/login", headers=evil)).status_code == 200


FOREIGN = [
    "http://evil.example",
    "http://localhost:3000",
    "https://localhost:3000",
    "http://127.0.0.1",
    "http://missedd.example.in.evil.example",
    "null",
    "file://",
    "",
]
CHANGES = [
    ("POST", f"/api/v1/numbers/{CALLER}/erase"),
    ("POST", "/api/v1/actions/7/resend"),
    ("POST", "/api/v1/suppressions"),
    ("PUT", "/api/v1/suppressions"),
    ("DELETE", f"/api/v1/suppressions/{CALLER}"),
    ("PATCH", "/api/v1/leads/1"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("POST", "/nowhere"),
]


@pytest.mark.parametrize("keys", [{}, {"password": PASSWORD}, {"password": PASSWORD, "is_loopback": False}])
@pytest.mark.parametrize("with_body", [True, False])
async def test_a_page_of_somebody_elses_changes_nothing(
    opened: Opened, keys: dict[str, Any], with_body: bool
) -> None:
    private, browser = opened(hosts=NAMED, api_token=TOKEN, **keys)
    csrf = ""
    if "password" in keys:
        await filled_in(browser)
        csrf = await csrf_of(browser)
    credentials = [{}, {"Authorization": f"Bearer {TOKEN}"}, {"X-CSRF-Token": csrf}]
    each_origin = [(origin, *CHANGES[0]) for origin in FOREIGN]
    each_change = [(FOREIGN[0], *change) for change in CHANGES]
    for origin, method, path in each_origin + each_change:
        for shown in credentials:
            body: dict[str, Any] = {"json": SUPPRESS} if with_body else {}
            headers = {"Origin": origin, "Host": "localhost"} | shown
            response = await browser.open(path, method=method, headers=headers, **body)
            assert response.status_code == 403, (origin, method, path)
            assert "page of" in await text(response)
    assert private.operator.by == []


OWN = [
    {},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:9000", "Host": "localhost:9000"},
    {"Origin": "http://[::1]:8081", "Host": "[::1]:8081"},
    {"Origin": "https://missedd.example.in", "Host": "127.0.0.1:8081"},
    {"Origin": "https://missedd.example.in:8443", "Host": "missedd.example.in"},
]


@pytest.mark.parametrize("headers", OWN)
async def test_a_page_of_ours_and_a_program_change_what_they_may(
    opened: Opened, headers: dict[str, str]
) -> None:
    private, browser = opened(hosts=NAMED)
    response = await browser.post("/api/v1/suppressions", json=SUPPRESS, headers=headers)
    assert response.status_code == 201
    assert CALLER in private.operator.suppressed


async def test_reading_looks_at_no_origin(opened: Opened) -> None:
    _, browser = opened()
    assert (await browser.get("/api/v1/calls", headers={"Origin": "http://evil.example"})).status_code == 200


async def test_our_own_pages_may_say_whose_they_are(opened: Opened) -> None:
    """A browser that must not name the page that it comes from sends `Origin: null` with its forms."""
    _, browser = opened(password=PASSWORD)
    assert (await browser.get("/login")).headers["Referrer-Policy"] == "same-origin"
