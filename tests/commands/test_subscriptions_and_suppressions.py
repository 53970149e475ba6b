"""The commands about lists and suppression: what they ask of the daemon, and what they tell."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from missedd.base.clock import SystemClock
from missedd.cli import main
from missedd.core.api_types.consents import SubscriptionJson
from tests.commands.daemon import Daemon, config
from tests.store.database import CALLER, NOON, FilledDatabase


def test_taking_a_number_off_a_list(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = config(tmp_path, daemon.server_port)
    assert main(["unsubscribe", *options, "sky, sun", "098765", "43210"]) == 0
    assert daemon.requests == [("DELETE", "/api/v1/subscriptions/sky%2C%20sun/098765%2043210", None)]
    assert capsys.readouterr().out == "098765 43210 is off the list 'sky, sun'\n"
    daemon.status, daemon.body = 404, b'{"detail": "the number is not on this list"}'
    assert main(["unsubscribe", *options, "weather", CALLER]) == 1
    assert capsys.readouterr().err == f"{CALLER}: the number is not on this list\n"


def test_suppressing_and_letting_go(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = config(tmp_path, daemon.server_port)
    daemon.status = 201
    daemon.body = json.dumps({"number": CALLER, "until": None}).encode()
    assert main(["suppress", *options, "98765", "43210", "--reason", "asked"]) == 0
    assert daemon.requests == [
        ("POST", "/api/v1/suppressions", {"number": "98765 43210", "reason": "asked", "until": None})
    ]
    assert capsys.readouterr().out == f"{CALLER} is suppressed for ever\n"
    daemon.body = json.dumps({"number": CALLER, "until": "2027-01-01T00:00:00.000Z"}).encode()
    assert main(["suppress", *options, CALLER, "--reason", "asked", "--until", "2027-01-01"]) == 0
    assert daemon.requests[-1][2]["until"] == "2027-01-01"
    assert capsys.readouterr().out == f"{CALLER} is suppressed until 2027-01-01 05:30:00 IST\n"
    assert main(["suppress", *options, CALLER, "--reason", "asked", "--until", "90d"]) == 0
    until = datetime.fromisoformat(daemon.requests[-1][2]["until"])
    assert abs(until - SystemClock().now() - timedelta(days=90)) < timedelta(minutes=5)
    daemon.status, daemon.body = 204, b""
    assert main(["unsuppress", *options, CALLER]) == 0
    assert daemon.requests[-1] == ("DELETE", "/api/v1/suppressions/%2B919876543210", None)
    daemon.status, daemon.body = 404, b'{"detail": "the number is not suppressed"}'
    assert main(["unsuppress", *options, CALLER]) == 1
    assert "the number is not suppressed" in capsys.readouterr().err


def test_erasing(daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = config(tmp_path, daemon.server_port)
    daemon.status = 200
    daemon.body = json.dumps({"pseudonym": "erased:7", "suppressions": 0, "consents": 0}).encode()
    assert main(["erase", *options, "98765", "43210"]) == 0
    assert daemon.requests == [("POST", "/api/v1/numbers/98765%2043210/erase", None)]
    assert capsys.readouterr().out == ("98765 43210 is erased; its calls stay counted as those of erased:7\n")
    daemon.body = json.dumps({"pseudonym": "erased:8", "suppressions": 1, "consents": 2}).encode()
    assert main(["erase", *options, CALLER]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "kept with the number: 1 suppression and 2 consents"
    daemon.status, daemon.body = 409, b'{"detail": "something is still owed"}'
    assert main(["erase", *options, CALLER]) == 1
    assert capsys.readouterr().err == f"{CALLER}: something is still owed\n"


def test_a_suppression_without_its_reason_is_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["suppress", *config(tmp_path), CALLER])
    assert stopped.value.code == 2


@pytest.fixture
def db(tmp_path: Path) -> Iterator[FilledDatabase]:
    filled = FilledDatabase(tmp_path / "missedd.db")
    yield filled
    filled.close()


def test_the_ledger_in_each_form(
    db: FilledDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joined, left = db.call("c1"), db.call("c2", NOON + timedelta(minutes=9))
    end: dict[str, Any] = {"withdrawn_at": NOON + timedelta(minutes=9), "withdrawn_by": "missed-call"}
    db.subscription(joined, standing="withdrawn", withdrawal_call_id=left, **end)
    for _ in range(1_001):
        db.subscription(joined, "+919000000001", list="other", standing="repeated")
    for n in range(1_001):
        db.subscription(db.call(f"n{n}"), f"+9190000{n:05d}")
    command = ["subscriptions", *config(tmp_path), "weather"]
    assert main([*command, "--format", "csv"]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (len(lines), tuple(lines[0])) == (1_002, tuple(SubscriptionJson.columns()))
    assert (lines[-1]["number"], lines[-1]["withdrawal_call_sid"]) == (CALLER, "c2")
    assert main([*command, "--format", "json", "--state", "withdrawn"]) == 0
    (consent,) = json.loads(capsys.readouterr().out)
    assert (consent["call_sid"], consent["withdrawn_by"]) == ("c1", "missed-call")
    assert main([*command, "--state", "withdrawn"]) == 0
    shown = capsys.readouterr().out
    assert "Consents to weather" in shown
    assert CALLER in shown
    assert "withdrawn" in shown


def test_an_empty_list_and_none_at_all(
    db: FilledDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["subscriptions", *config(tmp_path), "weather", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["subscriptions", *config(tmp_path), "wether"]) == 1
    assert capsys.readouterr().err == "there is no list 'wether'; configured are: weather\n"


def test_why_tells_of_an_erased_numbers_calls(
    db: FilledDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db.call("c1", caller="erased:7")
    db.call("c2", caller="erased:70")
    assert main(["why", *config(tmp_path), "erased:7"]) == 0
    assert capsys.readouterr().out.startswith("Call c1\n  erased:7 called ")
    assert main(["why", *config(tmp_path), "erased:8"]) == 1
    assert capsys.readouterr().out.startswith("no call is known by erased:8")


def test_why_tells_how_a_number_stands(
    db: FilledDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joined, left = db.call("c1"), db.call("c2", NOON + timedelta(minutes=9))
    end: dict[str, Any] = {"withdrawn_at": NOON + timedelta(minutes=9), "withdrawn_by": "missed-call"}
    db.subscription(joined, standing="withdrawn", withdrawal_call_id=left, **end)
    db.subscription(joined, list="news", purpose="the news")
    db.suppression(CALLER, source="opt-out", reason="opted out by missed call", call_id=left, asked_at=NOON)
    db.suppression(CALLER, source="api", reason="once", until_at=NOON)
    db.suppression("+919812345678", channel="sms", source="provider", reason="sms 30004")
    assert main(["why", *config(tmp_path), "98765", "43210"]) == 0
    first, *calls = capsys.readouterr().out.split("\n\n")
    assert first.splitlines() == [
        "This number is not contacted: suppressed by the number's own opt-out at 2026-11-23 12:00:00 IST "
        "(opted out by missed call, call c2).",
        "It joined the list news for the news at 2026-11-23 12:00:00 IST, call c1.",
        "It joined the list weather for daily alerts at 2026-11-23 12:00:00 IST, call c1; "
        "it left at 2026-11-23 12:09:00 IST by missed call, call c2.",
    ]
    assert [each.splitlines()[0] for each in calls] == ["Call c2", "Call c1"]
    assert main(["why", *config(tmp_path), "+919812345678"]) == 0
    assert capsys.readouterr().out == (
        "No SMS to this number: suppressed by the provider's refusal at 2026-11-23 12:00:00 IST "
        "(sms 30004).\n"
    )
    assert main(["why", *config(tmp_path), "+919800000009"]) == 1
