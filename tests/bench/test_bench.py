"""The bench measures what it says: its contenders are right, its databases real. No figure is judged."""

from __future__ import annotations

import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.ingest import CAMPAIGN, CONTENDERS, Contender, account_for
from bench.picture import draw
from bench.provider import running
from bench.rig import PATH, load
from bench.stock import stock
from tests.real.daemon import Daemon, free_port
from tests.real.peers import ask

BARE, FLOOR, *DECIDING = CONTENDERS


def _call(sid: str, number: str) -> bytes:
    body = f"CallSid={sid}&From={number}&To=08047120001&Status=missed-call".encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("contender", DECIDING, ids=lambda each: each.name)
def test_a_contender_takes_calls_in_as_missedd_does(contender: Contender, tmp_path: Path) -> None:
    with contender.serve(tmp_path) as server:
        calls = [("a1", "%2B919876543210"), ("a2", "09876543210"), ("a1", "9876543210"), ("a3", "9876543211")]
        heard = [ask(server.port, _call(*each)).lower() for each in calls]
    verdicts = ("accepted", "duplicate", "redelivered", "accepted")
    for answer, verdict in zip(heard, verdicts, strict=True):
        assert answer.startswith(b"http/1.1 200")
        assert f"missedd-verdict: {verdict}\r\n".encode() in answer


def test_the_floor_stores_each_request_before_its_answer_and_decides_nothing(tmp_path: Path) -> None:
    with FLOOR.serve(tmp_path) as server:
        for stored in (1, 2):
            assert b"missedd-verdict: accepted\r\n" in ask(server.port, _call("a1", "09876543210")).lower()
            account_for(tmp_path / str(FLOOR.database), stored)
    with pytest.raises(RuntimeError, match="3 calls were acknowledged and 2 are stored"):
        account_for(tmp_path / str(FLOOR.database), 3)


def test_the_load_hits_the_contender(tmp_path: Path) -> None:
    with BARE.serve(tmp_path) as server:
        found = load(server, "--rate", "max", "--for", "200ms", "--connections", "4")
    assert found["answered"] > 0
    assert found["errors"] == 0


def test_a_stocked_database_is_one_that_the_daemon_goes_on_with(tmp_path: Path) -> None:
    with Daemon(tmp_path, CAMPAIGN, free_port()) as daemon:
        stock(daemon, past=40, pending=60)
        daemon.start()
        assert daemon.events("daemon.started")[-1]["timers"] == 60
        assert len(daemon.api("/api/v1/calls?limit=1000")["items"]) == 100
        assert len(daemon.api("/api/v1/actions?outcome=answered&limit=1000")["items"]) == 40
        assert daemon.signal(signal.SIGTERM) == 0


def test_the_provider_takes_note_of_whom_it_should_ring(tmp_path: Path) -> None:
    with running() as provider:
        body = b"From=%2B919876543210&CallerId=08047120001"
        head = b"POST /v1/Accounts/example1/Calls/connect.json HTTP/1.1\r\nHost: here\r\n"
        request = head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        assert b'"Sid"' in ask(provider.port, request, until=b"}}")
    assert list(provider.asked_at) == ["+919876543210"]


KEPT = {
    "machine": {"cores": 2, "processor": "<any>", "memory_gb": 4, "system": "Linux", "python": "3.13.0"},
    "ingest": {
        "on": "2026-11-25",
        "other_work": 0.2,
        "rounds": 3,
        "contenders": {"bare": {"about": "a", "rate": 9000.0}, "missedd": {"about": "b", "rate": 4500.0}},
    },
    "timers": {
        "on": "2026-11-26",
        "other_work": 3.1,
        "quiet": {"about": "in quiet", "late_ms": {"p50": 0.1, "p99": 20.0}},
        "busy": {"about": "busy", "late_ms": {"p50": 5.0, "p99": 4000.0}},
    },
    "figures": {
        "on": "2026-11-26",
        "other_work": 3.1,
        "about": "1,000,000 calls of 365 days in 3 campaigns",
        "ranges": {"all": {"median_ms": 12.0}, "odd": {"median_ms": 71.0}},
    },
    "restart": {
        "on": "2026-11-26",
        "other_work": 3.1,
        "timers": 1_000_000,
        "ready_s": 3.21,
        "bytes_a_timer": 190,
    },
}


def test_the_picture_is_well_formed_and_holds_the_figures() -> None:
    root = ElementTree.fromstring(draw(KEPT))
    words = " ".join(each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text"))
    for part in (
        "9,000",
        "4,500",
        "4,000.0",
        "ready after 3.2 s",
        "71 ms at most",
        "<any>",
        "2026-11-25 to 2026-11-26",
    ):
        assert part in words
    widths = [float(each.attrib["width"]) for each in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[1] == pytest.approx(2 * widths[2], rel=0.01)


@pytest.mark.parametrize("parts", [["machine", "restart"], ["machine", "timers"]])
def test_a_part_alone_can_be_drawn(parts: list[str]) -> None:
    ElementTree.fromstring(draw({name: KEPT[name] for name in parts}))
