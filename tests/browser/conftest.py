"""A real daemon on a shop's database, and Debian's chromium on its console."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from missedd.core.password import SALT_BYTES, hashed
from tests.browser.shop import CONFIG, Shop
from tests.real.daemon import Daemon, free_port

CHROMIUM = shutil.which("chromium")
PASSWORD = "a password of a test"
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@dataclass
class Watched:
    """A page of the console; whatever should not happen while it is looked at is kept."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.address + path)
        return self.page

    def log_in(self) -> None:
        self.open("/login").fill("#password", PASSWORD)
        self.page.click("button.main")
        self.page.wait_for_url(self.address + "/**")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("MISSEDD_BROWSER") == "required":
            pytest.fail("no chromium, and MISSEDD_BROWSER says that these tests must run")
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("shop")
    campaigns = CONFIG.replace("{application}", "http://127.0.0.1:9/nobody")
    with Daemon(folder, campaigns, free_port()) as daemon:
        Shop(folder / "missedd.db", datetime.now(UTC)).fill()
        daemon.environ["MISSEDD_CONSOLE_PASSWORD_HASH"] = hashed(PASSWORD, bytes(SALT_BYTES))
        daemon.start()
        yield daemon


@pytest.fixture(params=["light", "dark"])
def console(request: pytest.FixtureRequest, browser: Browser, daemon: Daemon) -> Iterator[Watched]:
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    watched = Watched(page, f"http://127.0.0.1:{daemon.private_port}")

    def guard(route: Route) -> None:
        if urlsplit(route.request.url).hostname != "127.0.0.1":
            watched.faults.append(f"a request left the machine: {route.request.url}")
        route.continue_()

    page.route("**/*", guard)
    page.on("console", lambda said: watched.faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: watched.faults.append(str(error)))
    yield watched
    context.close()
    assert watched.faults == []
