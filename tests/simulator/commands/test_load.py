"""The load as it is run, against a small server that does what it is told, and against a real daemon."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import main
from tests.real.daemon import Daemon, free_port
from tests.simulator.load.load_peer import LoadPeer, serve_in_thread

pytestmark = pytest.mark.real

CAMPAIGN = """
catch_up = false
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = { source = "missed_call" }
"""


def load(peer: LoadPeer, folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the figures."""
    out = folder / "figures.json"
    code = main(["load", "--url", peer.url, "--json", str(out), *options])
    return code, json.loads(out.read_text())


def test_a_stall_counts_for_everyone_who_rang_meanwhile(tmp_path: Path) -> None:
    # 200 a second on four connections. A closed loop would send four requests into the stall and
    # find one in a hundred slow; sixty callers were due in it.
    with serve_in_thread(LoadPeer(stalls={100: 0.3})) as peer:
        code, found = load(
            peer, tmp_path, "--rate=200", "--for=1.5", "--arrivals=constant", "--connections=4", "--p99=100ms"
        )
    assert code == 1
    assert found["planned"] == found["answered"] == 300
    assert found["latency_ms"]["p90"] > 100
    assert found["start_ms"]["p90"] > 100
    assert found["dropped"] == 0


def test_who_finds_no_connection_in_time_is_dropped(tmp_path: Path) -> None:
    options = ("--rate=40", "--for=0.5", "--arrivals=constant", "--connections=1", "--start-within=100ms")
    with serve_in_thread(LoadPeer(stalls={1: 1.0})) as peer:
        code, found = load(peer, tmp_path, *options, "--dropped=0")
    assert code == 1
    assert (found["planned"], found["answered"], found["dropped"]) == (20, 1, 19)


def test_a_reply_that_does_not_come_is_an_error_that_took_so_long(tmp_path: Path) -> None:
    options = ("--rate=20", "--for=0.2", "--arrivals=constant", "--timeout=200ms", "--errors=0")
    with serve_in_thread(LoadPeer(stalls={1: 1.0})) as peer:
        code, found = load(peer, tmp_path, *options)
    assert code == 1
    assert found["lost"]["no reply within 0.2 s"] == found["errors"] >= 1
    assert found["latency_ms"]["max"] >= 200


def test_a_refusal_is_an_error_and_no_acknowledgement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with serve_in_thread(LoadPeer(answer=refusal)) as peer:
        code, found = load(peer, tmp_path, "--rate=50", "--for=0.2", "--errors=0", f"--check-api={peer.api}")
    assert code == 1
    assert found["statuses"] == {"503": found["planned"]}
    assert "every one of 0 acknowledged calls" in capsys.readouterr().out


def test_goals_that_are_met(tmp_path: Path) -> None:
    hdr = tmp_path / "out.hdr"
    with serve_in_thread(LoadPeer()) as peer:
        code, found = load(
            peer,
            tmp_path,
            "--rate=100",
            "--for=0.5",
            "--p99=10s",
            "--errors=0",
            f"--hdr={hdr}",
            "--shape=both",
        )
    assert code == 0
    assert found["verdicts"] == {"accepted": len(peer.received_sids)}
    assert hdr.exists()


def test_a_call_that_was_acknowledged_and_forgotten_is_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--rate=200", "--for=0.5", "--arrivals=constant")
    with serve_in_thread(LoadPeer(lost_call=70)) as peer:
        code, _ = load(peer, tmp_path, *options, f"--check-api={peer.api}")
        lost = peer.received_sids[69]
    assert code == 1
    assert f"MISSING: 1 of 100 acknowledged calls are not stored: {lost}\n" in capsys.readouterr().out


@pytest.mark.parametrize(("token", "code"), [("the-token-it-wants", 0), ("another-token", 1)])
def test_the_api_is_shown_its_token(
    token: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSEDD_API_TOKEN", token)
    with serve_in_thread(LoadPeer(token="the-token-it-wants")) as peer:
        assert load(peer, tmp_path, "--rate=50", "--for=0.2", f"--check-api={peer.api}")[0] == code


def test_doubled_deliveries_are_one_call(tmp_path: Path) -> None:
    with serve_in_thread(LoadPeer()) as peer:
        code, found = load(peer, tmp_path, "--profile=L1", "--rate=200", "--for=2", "--burst=200x1s")
        calls = len(set(peer.received_sids))
    assert code == 0
    assert found["planned"] == len(peer.received_sids) > calls


def test_as_fast_as_replies_come_back(tmp_path: Path) -> None:
    with serve_in_thread(LoadPeer()) as peer:
        code, found = load(peer, tmp_path, "--rate=max", "--for=0.3", "--connections=3")
    assert code == 0
    assert found["planned"] == found["answered"] == len(peer.received_sids) > 3


def test_a_real_daemon_keeps_what_it_acknowledged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Daemon(tmp_path, CAMPAIGN, free_port()) as daemon:
        daemon.start()
        api = f"http://127.0.0.1:{daemon.private_port}"
        url = daemon.missed_call_url
        options = [
            "--rate=100",
            "--for=1",
            "--repeats=0.2",
            "--shape=both",
            "--errors=0",
            f"--check-api={api}",
        ]
        code = main(["load", "--url", url, *options])
        text = capsys.readouterr().out
        assert code == 0, text
        assert "acknowledged calls is in the store" in text
        assert "duplicate" in text
        assert daemon.signal(signal.SIGTERM) == 0


def test_control_c_ends_it_early_with_the_summary(tmp_path: Path) -> None:
    with serve_in_thread(LoadPeer()) as peer:
        command = [sys.executable, "-m", "simulator", "load", "--url", peer.url]
        running = subprocess.Popen(
            [*command, "--rate=50", "--for=10m", "--progress"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        state = json.loads(running.stderr.readline())
        running.send_signal(signal.SIGHUP)  # as a terminal that is closed: it ends nothing
        assert json.loads(running.stderr.readline())["answered"] > state["answered"]
        running.send_signal(signal.SIGINT)
        text, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    assert state["answered"] > 0
    assert "errors 0, dropped 0" in text


def test_a_server_that_dies_is_told_of_and_the_callers_still_come(tmp_path: Path) -> None:
    with Daemon(tmp_path, CAMPAIGN, free_port()) as daemon:
        daemon.start()
        out = tmp_path / "figures.json"
        command = [sys.executable, "-m", "simulator", "load", "--url", daemon.missed_call_url]
        running = subprocess.Popen(
            [*command, "--rate=100", "--for=10m", "--errors=0", f"--json={out}", "--progress"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        running.stderr.readline()
        daemon.signal(signal.SIGKILL)
        while not json.loads(running.stderr.readline())["errors"]:
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    found = json.loads(out.read_text())
    assert running.returncode == 1
    assert found["answered"] > 0
    assert found["lost"]["connecting: Connection refused"] > 0
    assert found["planned"] == found["answered"] + sum(found["lost"].values())


def test_load_without_a_daemon_fails(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["load", "--url", f"http://127.0.0.1:{port}/x", "--rate", "1", "--for", "1"]) == 1
    assert f"cannot reach 127.0.0.1:{port}" in capsys.readouterr().err


def test_an_api_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve_in_thread(LoadPeer()) as peer:
        api = f"http://127.0.0.1:{free_port()}"
        code, _ = load(peer, tmp_path, "--rate=50", "--for=0.2", f"--check-api={api}")
    assert code == 1
    assert "the durability check could not be made" in capsys.readouterr().err


URL = "--url=http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([URL], "give --rate and --for, or a --profile"),
        ([URL, "--rate=5"], "give --rate and --for"),
        ([URL, "--rate=0", "--for=1"], "'0' is not a number above 0"),
        ([URL, "--rate=nan", "--for=1"], "'nan' is not a number above 0"),
        ([URL, "--rate=5", "--for=soon"], "'soon' is no duration; write 30s"),
        ([URL, "--rate=5", "--for=0"], "'0' is no duration"),
        ([URL, "--rate=5", "--for=10", "--burst=fast"], "'fast' is no burst; write 2500x10s"),
        ([URL, "--rate=5", "--for=10", "--burst=20x1s@10s"], "lies after the end"),
        ([URL, "--rate=5", "--for=10", "--repeats=2"], "'2' is not a share from 0 to 1"),
        ([URL, "--rate=5", "--for=10", "--exophone=12"], "'12' is not a telephone number"),
        ([URL, "--rate=5", "--for=10", "--errors=-1"], "'-1' is not a whole number"),
        ([URL, "--rate=5", "--for=10", "--connections=0"], "at least 1 is needed"),
        ([URL, "--rate=5", "--for=10", "--json=/nowhere/at/all"], "'/nowhere/at/all' cannot be written"),
        ([URL, "--rate=5", "--for=10", "--hdr=/"], "'/' cannot be written"),
        ([URL, "--rate=max", "--for=10", "--ramp=5s"], "--rate max has no rate"),
        (["--url=https://here/x", "--rate=5", "--for=10"], "speaks plain HTTP"),
        (["--url=here", "--rate=5", "--for=10"], "is not a URL such as"),
        (["--url=http://here:99999/x", "--rate=5", "--for=10"], "is not a URL such as"),
        ([URL, "--profile=L9"], "invalid choice: 'L9'"),
    ],
)
def test_wrong_words_end_with_2_and_a_remedy(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["load", *options])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
