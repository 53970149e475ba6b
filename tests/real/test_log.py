"""The log of a real daemon: its reader may stop reading, and a flood leaves few lines with right counts."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.real.daemon import TOKEN, WAIT_AT_MOST_S, Daemon, eventually, free_port

CAMPAIGN = '[[campaign]]\nname = "shop"\nexophones = ["+918047120001"]\nlead = { source = "missed_call" }\n'
SID = "{:060d}"
LONG = "of-no-kind" * 320
MORE_THAN_FITS = 150
"""Reports, each with a line of 3.5 kB: half a megabyte, where pipe and buffer take less than 350 kB."""

PAUSE, GO_ON = b"\x13", b"\x11"
"""Ctrl-S and Ctrl-Q."""


@contextmanager
def writing_to(daemon: Daemon, stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon with its log there, once it serves."""
    command = [sys.executable, "-m", "missedd", "serve", "--config", str(daemon.config)]
    with subprocess.Popen(command, env=daemon.environ, stdout=stdout) as running:
        try:
            eventually(lambda: running.poll() is not None or health(daemon) == 200)
            yield running
        finally:
            running.kill()


def health(daemon: Daemon) -> int:
    try:
        url = f"http://127.0.0.1:{daemon.private_port}/healthz"
        return httpx.get(url, trust_env=False, timeout=WAIT_AT_MOST_S).status_code
    except httpx.TransportError:
        return 0


class Caller:
    """Makes requests one after the other on one connection."""

    def __init__(self, daemon: Daemon) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", daemon.public_port, timeout=WAIT_AT_MOST_S)
        self.calls = 0

    def asks(self, place: str, **fields: str) -> int:
        self._connection.request("GET", f"/exotel/{place}?{urlencode(fields)}")
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def rings(self) -> int:
        self.calls += 1
        number = f"09{self.calls:09d}"
        fields = {"CallSid": SID.format(self.calls), "From": number, "To": "08047120001"}
        return self.asks(f"{TOKEN}/missed-call", CallType="call-attempt", **fields)

    def reports(self) -> int:
        """Tell how a callback ended that was never made, in words that make a long line."""
        fields = urlencode(
            {"CallSid": SID.format(self.calls), "Status": "of-no-kind" * 320, "EventType": "terminal"}
        )
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", f"/exotel/{TOKEN}/call-status/7", fields, form)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        self._connection.close()


def read_until(end: int, wanted: Callable[[bytes], bool]) -> list[str]:
    found = b""
    while not wanted(found):
        readable, _, _ = select.select([end], [], [], WAIT_AT_MOST_S)
        assert readable, found[-2_000:]
        found += os.read(end, 65_536)
    return found.decode().splitlines()


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_a_reader_that_stops_reading_costs_lines_and_no_answer(tmp_path: Path, kind: str) -> None:
    daemon = Daemon(tmp_path, CAMPAIGN, free_port())
    daemon.environ["NO_COLOR"] = "1"
    ours, its = os.pipe() if kind == "pipe" else os.openpty()
    with writing_to(daemon, its) as running, closing(Caller(daemon)) as caller:
        if kind == "terminal":
            os.write(ours, PAUSE)
        for _ in range(MORE_THAN_FITS):
            assert caller.rings() == 200
            assert caller.reports() == 200
        assert health(daemon) == 200
        if kind == "terminal":
            os.write(ours, GO_ON)
        told = read_until(ours, lambda found: re.search(rb"log\.lines_lost[^\n]*\n", found) is not None)
        (line,) = (each for each in told if "log.lines_lost" in each)
        lost = json.loads(line)["lines"] if kind == "pipe" else int(re.findall(r"\d+", line)[-1])
        metrics = httpx.get(f"http://127.0.0.1:{daemon.private_port}/metrics", trust_env=False).text
        (counted,) = re.findall(r"^missedd_log_lines_lost_total (\d+)", metrics, re.MULTILINE)
        assert 0 < lost == int(counted)
        assert caller.rings() == 200
        if kind == "terminal":
            os.write(ours, PAUSE)
        running.send_signal(signal.SIGTERM)
        if kind == "pipe":
            read_until(ours, lambda found: b"daemon.stopped" in found)
        assert running.wait(WAIT_AT_MOST_S) == 0, "it stops although nobody reads"
    os.close(ours)
    os.close(its)


def test_a_flood_leaves_few_lines_with_right_counts_and_a_hang_up_ends_nothing(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, CAMPAIGN, free_port())
    with daemon, closing(Caller(daemon)) as caller:
        daemon.start()
        for _ in range(2_345):
            assert caller.asks("a-wrong-token/missed-call") == 404
        assert daemon.running is not None
        daemon.running.send_signal(signal.SIGHUP)
        eventually(lambda: daemon.events("daemon.not_reloaded"))
        assert "restart" in daemon.events("daemon.not_reloaded")[0]["advice"]
        assert caller.rings() == 200
        assert daemon.signal(signal.SIGTERM) == 0
        assert json.loads(daemon.log_path.read_text("utf-8").splitlines()[-1])["event"] == "daemon.stopped"
        refused = [each.get("times", 1) for each in daemon.events("webhook.refused")]
        assert refused == [1, 10, 100, 1_000]
        (ended,) = daemon.events("log.repeats_ended")
        assert (ended["of"], ended["times"], ended["with"]["status"]) == ("webhook.refused", 2_345, 404)
