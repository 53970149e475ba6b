"""`missedd report` beside no daemon: what it prints are the module's figures, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from msgspec import to_builtins

from missedd.cli import main
from missedd.store.reads.reader import load_analytics
from tests.store.database import NOON, FilledDatabase

INDIA = "Asia/Kolkata"
CONFIG = """
[exotel]
account_sid = "example1"
[[campaign]]
name = "admissions"
exophones = ["+918047120001"]
lead = {}
"""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[FilledDatabase]:
    """Three calls of two campaigns, one of which is not configured any more."""
    (tmp_path / "missedd.toml").write_text(CONFIG, "utf-8")
    filled = FilledDatabase(tmp_path / "missedd.db")
    first = filled.call("a", NOON)
    filled.call("b", NOON + timedelta(hours=1), verdict="duplicate", reason="within-dedup-window")
    filled.call("c", NOON + timedelta(days=1), campaign="old")
    filled.done(
        first,
        "callback",
        "answered",
        reason="customer-answered",
        placed_at=NOON + timedelta(seconds=30),
        answered_at=NOON + timedelta(seconds=44),
    )
    filled.done(first, "sms", "failed", reason="sms-failed", code="23082", placed_at=NOON)
    filled.lead(first)
    yield filled
    filled.close()


@pytest.fixture
def report(db: FilledDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*options: str, code: int = 0) -> str:
        assert main(["report", "--config", str(tmp_path / "missedd.toml"), *options]) == code
        told = capsys.readouterr()
        return told.err if code else told.out

    return run


def module(db: FilledDatabase, campaign: str | None, since: datetime | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = to_builtins(trio.run(partial(load_analytics, db, campaign, since, None, INDIA)))
    return shown


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_json_is_what_the_module_says(db: FilledDatabase, report: Any) -> None:
    assert json.loads(report("--format", "json")) == {
        "admissions": module(db, "admissions"),
        "old": module(db, "old"),
    }
    assert json.loads(report("--format", "json", "--together")) == {"all campaigns": module(db, None)}
    since = NOON + timedelta(minutes=30)
    told = json.loads(report("--format", "json", "--since", since.isoformat(), "--campaign", "admissions"))
    assert told == {"admissions": module(db, "admissions", since)}
    assert told["admissions"]["total_calls"] == 1


def test_csv_has_a_row_for_each_campaign_and_every_figure(db: FilledDatabase, report: Any) -> None:
    found = rows(report("--format", "csv"))
    assert [row["campaign"] for row in found] == ["admissions", "old"]
    first = found[0]
    assert (first["total_calls"], first["unique_callers"], first["peak_hour"]) == ("2", "1", "12")
    assert (first["seconds_to_callback_median"], first["sms_delivery_rate"]) == ("30.0", "0.0")
    assert found[1]["callback_success_rate"] == found[1]["seconds_to_answer_p95"] == ""


def test_csv_by_something_has_a_row_for_each_of_it(report: Any) -> None:
    assert len(rows(report("--format", "csv", "--by", "hour"))) == 2 * 24
    busy = [row for row in rows(report("--format", "csv", "--by", "weekday")) if row["calls"] != "0"]
    assert busy == [
        {"campaign": "admissions", "weekday": "0", "hour": "12", "calls": "1"},
        {"campaign": "admissions", "weekday": "0", "hour": "13", "calls": "1"},
        {"campaign": "old", "weekday": "1", "hour": "12", "calls": "1"},
    ]
    assert rows(report("--format", "csv", "--by", "day")) == [
        {"campaign": "admissions", "date": "2026-11-23", "calls": "2"},
        {"campaign": "old", "date": "2026-11-24", "calls": "1"},
    ]
    why = rows(report("--format", "csv", "--by", "reason", "--campaign", "admissions"))
    assert [(row["of"], row["outcome"], row["reason"], row["code"], row["count"]) for row in why] == [
        ("call", "accepted", "first-call", "", "1"),
        ("call", "duplicate", "within-dedup-window", "", "1"),
        ("callback", "answered", "customer-answered", "", "1"),
        ("sms", "failed", "sms-failed", "23082", "1"),
    ]
    assert [row["meaning"] for row in why] == ["", "", "", "the DLT template is blocked"]


@pytest.mark.parametrize(
    "by", [(), ("--by", "hour"), ("--by", "weekday"), ("--by", "day"), ("--by", "reason")]
)
def test_a_table_for_people(report: Any, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    told = report(*by)
    assert "admissions" in told
    assert "old" in told
    expected = {
        (): ("Call to callback, median", "30.0 s", "12:00", "100.0%"),
        ("--by", "hour"): ("12:00", "23:00"),
        ("--by", "weekday"): ("Mon", "Sun"),
        ("--by", "day"): ("2026-11-23", "2026-11-24"),
        ("--by", "reason"): ("customer-answered", "23082: the DLT template is blocked"),
    }
    assert all(each in told for each in expected[by])


@pytest.mark.parametrize("by", [(), ("--by", "hour"), ("--by", "day")])
def test_more_campaigns_than_fit_are_shown_below_each_other(
    report: Any, db: FilledDatabase, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"campaign-number-{n}" for n in range(15)]
    for name in names:
        db.call(f"of {name}", NOON, campaign=name)
    told = report(*by)
    assert "…" not in told
    assert [name for name in names if name not in told] == []
    assert max(map(len, told.splitlines())) <= 80
    together = report("--together", *by)
    assert together.count("all campaigns") == 1


def test_a_week_on_a_narrow_terminal_has_its_hours_below_each_other(
    report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = report("--by", "weekday")
    assert "…" not in told
    assert max(map(len, told.splitlines())) <= 80
    for name in ("admissions", "old"):
        assert f"Missed calls of {name} by hour and weekday" in told
    assert [line.count("1") for line in told.splitlines() if "12:00" in line] == [2, 2]
    monkeypatch.setenv("COLUMNS", "80")
    assert "…" not in report("--by", "reason")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--since", "yesterday"), 2, "--since: 'yesterday' is no date"),
        (("--until", "0001-01-01T00:00:00+23:59"), 2, "--until: "),
        (("--since", "2026-12-01", "--until", "2026-11-01"), 2, "--until: it lies before --since"),
        (("--campaign", "nobody"), 1, "there is no campaign 'nobody'; known are admissions, old"),
    ],
)
def test_what_cannot_be_meant_is_said(report: Any, options: tuple[str, ...], code: int, words: str) -> None:
    assert words in report(*options, code=code)


def test_help_shows_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    told = capsys.readouterr().out
    assert "--by weekday\n" in told
    assert "examples:\n  missedd report" in told
