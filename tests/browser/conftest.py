"""A real daemon on a working day's database, and a real browser that may speak to nobody else."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from missedd.security.password import SALT_BYTES, hash_password
from tests.browser.shop import CONFIG, EXOPHONES, Shop
from tests.real.daemon import Daemon, free_port

CHROMIUM = shutil.which("chromium")
PASSWORD = "open sesame"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # Whatever asks for another host than this machine finds none; but for somebody who lets a name lead here.
    "--host-resolver-rules=MAP rebound.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Where a browser is expected, its absence is a failure of the fixture that starts it.
    if CHROMIUM is not None or os.environ.get("MISSEDD_BROWSER") == "required":
        return
    missing = pytest.mark.skip(reason="no chromium on this machine: apt-get install chromium")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(missing)


class Application(HTTPServer):
    """The shop's own program: takes every webhook, and keeps its body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.taken: list[bytes] = []


class _Take(BaseHTTPRequestHandler):
    server: Application

    def do_POST(self) -> None:
        self.server.taken.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Console:
    """The daemon under the console, and a hand on what is outside of it."""

    def __init__(self, daemon: Daemon, application: Application) -> None:
        self.url = f"http://127.0.0.1:{daemon.private_port}"
        self.application = application
        self._daemon = daemon
        self._rung = 0

    def api(self, path: str) -> Any:
        return self._daemon.api(path)

    def ring(self, campaign: str) -> tuple[str, str]:
        """Somebody rings and hangs up; returns their number and the CallSid."""
        self._rung += 1
        number, sid = f"+9198765{self._rung:05d}", f"rung-{self._rung}"
        form = {"CallSid": sid, "From": number, "To": EXOPHONES[campaign], "Status": "missed-call"}
        answer = httpx.post(self._daemon.missed_call_url, data=form, trust_env=False)
        assert answer.headers["missedd-verdict"] == "accepted"
        return number, sid


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("console")
    with Application() as application:
        taking = Thread(target=application.serve_forever, args=(0.02,))
        taking.start()
        config = CONFIG.replace("{application}", f"http://127.0.0.1:{application.server_port}/missed-call")
        Shop(folder / "missedd.db", datetime.now(UTC)).fill()
        with Daemon(folder, config, free_port()) as daemon:
            daemon.environ["MISSEDD_CONSOLE_PASSWORD_HASH"] = hash_password(PASSWORD, bytes(SALT_BYTES))
            daemon.start()
            yield Console(daemon, application)
        application.shutdown()
        taking.join()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM is not None, "no chromium, and MISSEDD_BROWSER says that these tests must run"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session(console: Console, chromium: Browser) -> StorageState:
    """What a browser keeps of a login."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{console.url}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").wait_for()
    state = context.storage_state()
    context.close()
    return state


class Visit:
    """One browser window. Whatever it complains of, or asks of anybody else, is kept."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        context.set_default_timeout(10_000)
        self.context = context
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self._url = url
        context.on("request", self._look_at)
        self.page.on("console", lambda said: self._hear(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _look_at(self, request: Any) -> None:
        if not request.url.startswith(f"{self._url}/"):
            self.complaints.append(f"asked for {request.url}")

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def open(self, path: str) -> Page:
        answer = self.page.goto(self._url + path)
        assert answer is not None
        assert answer.status == 200
        return self.page

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def number(self, selector: str) -> int:
        return int(re.sub(r"\D", "", self.text(selector)) or -1)


@pytest.fixture
def visit(console: Console, chromium: Browser, session: StorageState) -> Iterator[Visit]:
    """A window of somebody who is logged in."""
    context = chromium.new_context(viewport=WIDE, storage_state=session)  # type: ignore[arg-type]
    visit = Visit(context, console.url)
    yield visit
    context.close()
    assert visit.complaints == []
