"""The simulator as a program of its own, over real HTTP: the one test here with a real clock."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

pytestmark = pytest.mark.real


@contextmanager
def served(*options: str, complaints: list[str] | None = None) -> Iterator[str]:
    """The address of a running `missedd-sim serve`, which has to end well on SIGTERM.

    What it complained of is in `complaints` at the end; without them it may not complain.
    """
    command = [sys.executable, "-W", "error", "-m", "simulator", "serve", "--port", "0"]
    command += ["--key", "k1", "--token", "t1", "--missed-call-url", "http://127.0.0.1:1/missed-call"]
    command += options
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        ready = program.stdout.readline()
        program.send_signal(signal.SIGHUP)  # as a terminal that is closed: it ends no server
        yield ready.split("Exotel at ")[1].split(",")[0]
        program.send_signal(signal.SIGTERM)
        _, said = program.communicate(timeout=10)
    if complaints is not None:
        complaints += said.splitlines()
    assert (program.returncode, said if complaints is None else "") == (0, "")


@pytest.fixture
def base() -> Iterator[str]:
    with served() as address:
        yield address


def _caller_and_sid(*options: str) -> tuple[str, str]:
    with served(*options) as address:
        (call,) = httpx.post(f"{address}/_sim/ring", json={}, trust_env=False).json()["calls"]
        return call["number"], call["call_sid"]


def test_sids_are_new_at_each_start_unless_a_seed_is_given() -> None:
    first, second = _caller_and_sid(), _caller_and_sid()
    assert (first[0] != second[0], first[1] != second[1]) == (True, True)
    assert _caller_and_sid("--seed", "7") == _caller_and_sid("--seed", "7")


def test_serve(base: str) -> None:
    form = {"From": "+919876543210", "CallerId": "08047120001", "Url": "http://my.exotel.com/exoml/start/7"}
    url = f"{base}/v1/Accounts/example1/Calls/connect.json"
    with httpx.Client(auth=("k1", "t1"), trust_env=False) as client:
        assert client.get(f"{base}/_sim/health").json()["status"] == "ok"
        assert client.post(url, data=form).json()["Call"]["Status"] == "in-progress"

        fault = {"name": "drop-reply", "target": "connect", "when": "after", "times": 1}
        assert client.post(f"{base}/_sim/faults", json=fault).status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(url, data=form)
        assert client.post(f"{base}/_sim/faults", json={"name": "timeout"}).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            client.post(url, data=form, timeout=0.2)
        assert client.delete(f"{base}/_sim/faults").json()["ended"] == 1

        person = {"number": "09876543210", "answers": ["busy", "answer"], "sms": "dnd"}
        assert client.post(f"{base}/_sim/people", json=person).json()["number"] == "+919876543210"
        # What is not said of somebody stays as it was.
        kept = client.post(f"{base}/_sim/people", json={"number": "09876543210", "ring_s": 3}).json()
        assert (kept["answers"], kept["sms"], kept["ring_s"]) == (["busy", "answer"], "dnd", 3)
        told = client.post(f"{base}/_sim/ring", json={"number": "9876543210", "shape": "native"})
        assert told.status_code == 502
        assert told.json()["calls"][0]["failure"].startswith("http://127.0.0.1:1/missed-call: ConnectError")
        wrong = client.post(f"{base}/_sim/ring", json={"numbr": "9876543210"})
        assert (wrong.status_code, "number" in wrong.json()["error"]) == (400, True)

        for path, body, said in (
            (
                "people",
                {"sms": "failed"},
                "'failed' is none of delivered, delivered-to-operator, dnd, ",
            ),
            ("people", {"answers": ["busy", "no"]}, "'no' is none of answer, no-answer, busy, "),
            ("ring", {"shape": "odd"}, "'odd' is none of passthru, native, both, "),
            ("ring", {"spelling": "odd"}, "'odd' is none of e164, zero, bare"),
            ("faults", {"name": "bad"}, "'bad' is none of refuse-connection, connect-timeout, "),
            ("faults", {"name": "slow", "target": "x"}, "'x' is none of connect, sms, details, "),
        ):
            number = {} if path == "faults" else {"number": "9876543210"}
            wrong = client.post(f"{base}/_sim/{path}", json=number | body)
            assert (wrong.status_code, wrong.json()["error"][: len(said)]) == (400, said)

        changed = client.post(f"{base}/_sim/settings", json={"details_delay_s": 5, "senders": ["EXAMPL"]})
        assert changed.json() == client.get(f"{base}/_sim/settings").json()
        assert (changed.json()["details_delay_s"], changed.json()["senders"]) == (5, ["EXAMPL"])
        for mistake in ({"details_delay": 5}, {"sms_step_s": 1, "details_delay_s": "soon"}):
            assert client.post(f"{base}/_sim/settings", json=mistake).status_code == 400
        assert client.get(f"{base}/_sim/settings").json() == changed.json()

        index = client.get(f"{base}/_sim/").json()
        assert index == client.get(f"{base}/_sim").json()
        for each in index:
            # Asked with another method than its own, each says that it is there.
            method, path = each.split(" ")
            asked = client.request("PATCH", f"{base}{path}")
            assert (asked.status_code, method in asked.headers["allow"]) == (405, True)
        assert client.post(f"{base}/_sim/heartbeat", json={"status": "CRITICAL"}).status_code == 200
        wrong = client.post(f"{base}/_sim/heartbeat", json={"status": "ill"})
        assert (wrong.status_code, wrong.json()["error"][:22]) == (400, "'ill' is none of OK, W")

        missing = client.get(f"{base}/_sim/peeple")
        assert (missing.status_code, "POST /_sim/people" in missing.json()["error"]) == (404, True)

        truth = client.get(f"{base}/_sim/truth").json()
        assert len(truth["connects"]) == 2
        assert [one["status"] for one in truth["api_requests"]] == [200, None, None]
        gone = client.get(f"{base}/_sim/health", headers={"connection": "close"})
        assert gone.headers.get("connection") == "close"


def test_serve_prints_parameters_that_nobody_reads() -> None:
    form = {"From": "EXAMPL", "To": ["09876543210", "09811111111"], "Body": "Hello.", "body": "?"}
    complaints: list[str] = []
    with served("--last-to-wins", complaints=complaints) as base:
        url = f"{base}/v1/Accounts/example1/Sms/send.json"
        sent = httpx.post(url, data=form, auth=("k1", "t1"), trust_env=False)
        assert sent.json()["SMSMessage"]["To"] == "09811111111"
        assert httpx.get(f"{base}/v2/accounts/example1/users", trust_env=False).status_code == 401
    (line,) = complaints
    assert line.startswith(
        "missedd-sim: POST /v1/Accounts/example1/Sms/send.json: Exotel does not know body;"
    )


@pytest.mark.parametrize(
    "arguments",
    [[], ["serve"], ["serve", "--port", "99999"], ["serve", "--port", "0", "--missed-call-url", "nowhere"]],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from simulator.cli import main

    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_serve_help_names_every_value(capsys: pytest.CaptureFixture[str]) -> None:
    from simulator.cli import main
    from simulator.scenario.schema import CHOICES_BY_KEY

    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    words = re.split(r"[\s,]+", capsys.readouterr().out.partition("values here")[2])
    assert {each.value for values in CHOICES_BY_KEY.values() for each in values} <= set(words)
