"""Who may do what on the private site: the password, sessions, forms, the API's token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from missedd.core.audit import Source
from missedd.security.login_throttle import FREE_ATTEMPTS_PER_PEER
from missedd.security.password import hash_password, parse_password_hash
from missedd.web.auth.access import SESSION_COOKIE, AccessPolicy
from missedd.web.auth.sessions import IDLE_S, MAX_AGE_S, MAX_SESSIONS, Sessions
from tests.store.database import CALLER
from tests.web.conftest import Private, built_private

WORD = "open sesame"
PASSWORD = parse_password_hash(hash_password(WORD, bytes(16)))
TOKEN = "token-of-our-own-api"
SUPPRESS = {"number": CALLER, "reason": "asked"}


class Opened:
    """Builds sites, and a browser for each."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    def __call__(self, **keys: Any) -> tuple[Private, Any]:
        private = self._stack.enter_context(built_private(self._folder, AccessPolicy(**keys)))
        return private, private.app.test_client()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:
        yield Opened(tmp_path, stack)


async def text(response: Any) -> str:
    return str(await response.get_data(as_text=True))


async def filled_in(browser: Any, password: str = WORD, page: str = "/login", **changes: str) -> Any:
    """Open the login page and send its form."""
    form = await text(await browser.get(page))
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    return await browser.post("/login", form=fields | {"password": password} | changes)


async def csrf_of(browser: Any, path: str = "/") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', await text(await browser.get(path)))
    assert found is not None
    return found[1]


async def suppress(browser: Any, **headers: str) -> int:
    response = await browser.post("/api/v1/suppressions", json=SUPPRESS, headers=headers)
    return int(response.status_code)


async def test_logging_in_and_out(opened: Opened) -> None:
    private, browser = opened(password=PASSWORD)
    assert "Log in" in await text(await browser.get("/"))
    response = await filled_in(browser, page="/login?next=/calls/abc%3Fx%3D1")
    assert (response.status_code, response.headers["Location"]) == (303, "/calls/abc?x=1")
    cookie = response.headers.getlist("Set-Cookie")[0]
    assert all(
        each in cookie for each in (SESSION_COOKIE, "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200")
    )
    assert "Secure" not in cookie
    assert "Log out" in await text(await browser.get("/"))
    assert (await browser.post("/logout")).status_code == 403
    response = await browser.post("/logout", form={"csrf": await csrf_of(browser)})
    assert response.status_code == 303
    assert "Log in" in await text(await browser.get("/"))
    assert private.logins == [True]


async def test_behind_a_proxy_with_https_the_cookie_stays_there(opened: Opened) -> None:
    _, browser = opened(password=PASSWORD)
    response = await browser.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in response.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/x\r\nA:b",
    ],
)
async def test_login_redirect_stays_on_own_host(opened: Opened, elsewhere: str) -> None:
    _, browser = opened(password=PASSWORD)
    response = await filled_in(browser, next=elsewhere)
    assert (response.status_code, response.headers["Location"]) == (303, "/")


async def test_a_wrong_password(opened: Opened) -> None:
    private, browser = opened(password=PASSWORD)
    for wrong in ("", "open sesam", "x" * 5_000):
        response = await filled_in(browser, wrong)
        assert response.status_code == 403
        assert "That is not the password." in await text(response)
    assert private.logins == [False] * 3
    assert "Log out" not in await text(await browser.get("/"))


async def test_a_form_of_nobodys(opened: Opened) -> None:
    private, browser = opened(password=PASSWORD)
    response = await filled_in(browser, csrf="made up")
    assert response.status_code == 403
    assert (await browser.post("/login", form={"password": WORD})).status_code == 403
    assert private.logins == []


async def test_who_tries_too_often_waits(opened: Opened) -> None:
    private, browser = opened(password=PASSWORD)
    for _ in range(FREE_ATTEMPTS_PER_PEER):
        await filled_in(browser, "wrong")
    response = await filled_in(browser)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "5")
    assert "try again in 5 seconds" in await text(response)
    assert private.logins == [False] * FREE_ATTEMPTS_PER_PEER


async def test_without_a_password_nothing_is_changed_and_it_says_how(opened: Opened) -> None:
    private, browser = opened()
    assert "missedd password" in await text(await browser.get("/login"))
    assert (await filled_in(browser)).status_code == 403
    response = await browser.post("/logout")
    assert response.status_code == 403
    assert "MISSEDD_CONSOLE_PASSWORD_HASH" in await text(response)
    # Programs on this machine go on as ever.
    assert await suppress(browser) == 201
    assert private.operator.by[0].source is Source.API


async def test_a_form_without_a_login_leads_to_it(opened: Opened) -> None:
    _, browser = opened(password=PASSWORD)
    headers = {"Referer": "http://localhost/calls/abc?x=1"}
    response = await browser.post("/logout", headers=headers)
    where = (response.status_code, response.headers["Location"])
    assert where == (303, "/login?next=%2Fcalls%2Fabc%3Fx%3D1")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_changes_nothing(opened: Opened, site: str) -> None:
    private, browser = opened(password=PASSWORD)
    await filled_in(browser)
    csrf = await csrf_of(browser)
    headers = {"Sec-Fetch-Site": site}
    assert (await browser.post("/logout", form={"csrf": csrf}, headers=headers)).status_code == 403
    assert await suppress(browser, **headers) == 403
    assert private.operator.suppressed == {}


@pytest.mark.parametrize(
    ("keys", "plain", "logged_in", "with_csrf", "with_token"),
    [
        ({}, 201, 201, 201, 201),
        ({"password": PASSWORD}, 201, 201, 201, 201),
        ({"password": PASSWORD, "is_loopback": False}, 401, 403, 201, 401),
        ({"password": PASSWORD, "api_token": TOKEN}, 401, 403, 201, 201),
        ({"api_token": TOKEN}, 401, 401, 401, 201),
        ({"password": PASSWORD, "is_loopback": False, "is_public": True}, 401, 403, 201, 401),
        ({"password": PASSWORD, "api_token": TOKEN, "is_public": True}, 401, 403, 201, 201),
    ],
)
async def test_who_changes_something_by_the_api(
    opened: Opened, keys: dict[str, Any], plain: int, logged_in: int, with_csrf: int, with_token: int
) -> None:
    private, browser = opened(**keys)
    stranger = private.app.test_client()
    assert await suppress(stranger) == plain
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert await suppress(stranger, **bearer) == with_token
    if "api_token" in keys:
        assert await suppress(stranger, Authorization="Bearer another-token-altogether") == 401
    csrf = ""
    if "password" in keys:
        await filled_in(browser)
        csrf = await csrf_of(browser)
    assert await suppress(browser) == logged_in
    assert await suppress(browser, **{"X-CSRF-Token": csrf}) == with_csrf
    if "password" in keys:
        assert private.operator.by[-1].source is Source.CONSOLE


async def test_on_a_public_address_nothing_is_shown_without_a_login(opened: Opened) -> None:
    private, browser = opened(password=PASSWORD, api_token=TOKEN, is_loopback=False, is_public=True)
    private.db.call("abc")
    for path in ("/", "/glance", "/calls/abc", "/find?q=abc", "/nowhere"):
        response = await browser.get(path)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/login?next=%2F")
    for path in ("/api/v1/calls", "/api/openapi.json", "/api/v1/nowhere"):
        response = await browser.get(path)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert response.content_type == "application/problem+json"
    for path in ("/healthz", "/readyz", "/metrics", "/login", "/static/console.css"):
        assert (await browser.get(path)).status_code == 200
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert (await browser.get("/api/v1/calls", headers=bearer)).status_code == 200
    await filled_in(browser)
    assert (await browser.get("/calls/abc")).status_code == 200
    assert (await browser.get("/api/v1/calls")).status_code == 200


def test_sessions_end() -> None:
    clock = MockClock()
    sessions = Sessions(lambda: clock.current_time())
    token = sessions.begin()
    assert sessions.find(token) is not None
    clock.jump(IDLE_S - 1)
    assert sessions.find(token) is not None
    clock.jump(IDLE_S)
    assert sessions.find(token) is None
    token = sessions.begin()
    for _ in range(int(MAX_AGE_S / (IDLE_S / 2)) - 1):
        clock.jump(IDLE_S / 2)
        assert sessions.find(token) is not None
    clock.jump(IDLE_S / 2)
    assert sessions.find(token) is None
    sessions.end(token)
    for wrong in (None, "", "x", token + "x"):
        assert sessions.find(wrong) is None


def test_sessions_are_few() -> None:
    seconds = iter(range(10_000))
    sessions = Sessions(lambda: float(next(seconds)))
    first, second, *rest = (sessions.begin() for _ in range(MAX_SESSIONS))
    assert sessions.find(first) is not None
    newest = sessions.begin()
    assert sessions.find(second) is None
    assert all(sessions.find(each) is not None for each in (first, *rest, newest))
