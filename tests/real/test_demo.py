"""`missedd demo`: one command shows all of it, and stops cleanly."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.real.daemon import WAIT_AT_MOST_S, eventually, free_port


class Demo:
    """The command in a process group of its own, as a shell would start it."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "missedd", "demo", "--port", str(free_port()), *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._collect)
        self._reader.start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def wait(self) -> int:
        code = self.process.wait(WAIT_AT_MOST_S * 2)
        self._reader.join(WAIT_AT_MOST_S)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def find(self, pattern: str) -> str | None:
        found = (re.search(pattern, line) for line in list(self.lines))
        return next((each[1] for each in found if each), None)


@pytest.fixture
def demo() -> Iterator[Demo]:
    running = Demo("--per-minute", "240")
    yield running
    running.kill()


def test_demo_prints_the_console_address_and_people_call(demo: Demo) -> None:
    eventually(lambda: demo.find(r"Password +(\S+)"))
    address, password = demo.find(r"console +(http://\S+)"), demo.find(r"Password +(\S+)")
    assert address is not None
    assert password is not None
    assert address in "".join(demo.lines[:2])
    os.killpg(demo.process.pid, signal.SIGHUP)
    with httpx.Client(base_url=address, trust_env=False) as http:
        form = http.get("/login").text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
        assert http.post("/login", data=fields | {"password": password}).status_code == 303
        assert "Log out" in http.get("/").text
        campaigns = [each["name"] for each in http.get("/api/v1/campaigns").json()["items"]]
        assert campaigns == ["admissions", "information", "sales", "vote-asha", "vote-ravi"]
        eventually(lambda: http.get("/api/v1/polls/singer").json()["total"] > 0)
        eventually(lambda: http.get("/api/v1/analytics").json()["callbacks_made"] > 0)
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.wait() == 0
    assert re.match(r" *\d+ calls came in", demo.lines[-1])


def test_demo_ends_after_its_time() -> None:
    running = Demo("--for", "1s")
    try:
        assert running.wait() == 0
        assert "calls came in" in running.lines[-1]
    finally:
        running.kill()
