"""`missedd leads`: the API's columns from the file itself, all of them, with Z or local times."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from missedd.base.clock import SystemClock
from missedd.cli import main
from missedd.core.api_types.leads import LeadJson
from missedd.core.pagination import MAX_LIMIT
from tests.commands.daemon import config
from tests.store.database import CALLER, NOON, FilledDatabase


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    return config(tmp_path)


@pytest.fixture
def db(tmp_path: Path, options: list[str]) -> Iterator[FilledDatabase]:
    filled = FilledDatabase(tmp_path / "missedd.db")
    call = filled.call("abc")
    filled.lead(call, "+919000000001", updated_at=NOON, first_seen_at=NOON)
    filled.lead(call, CALLER, status="contacted", updated_at=SystemClock().now() - timedelta(hours=2))
    yield filled
    filled.close()


def read(out: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out)))


def test_what_changed_since_as_csv(
    db: FilledDatabase, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leads", *options, "--since", "24h", "--format", "csv"]) == 0
    (lead,) = read(capsys.readouterr().out)
    assert list(lead) == list(LeadJson.columns())
    assert (lead["number"], lead["status"]) == (CALLER, "contacted")
    assert lead["updated_at"].endswith("Z")


def test_all_of_them_and_local_times(
    db: FilledDatabase, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leads", *options, "--format", "csv", "--local"]) == 0
    leads = read(capsys.readouterr().out)
    assert [lead["number"] for lead in leads] == [CALLER, "+919000000001"]
    assert leads[1]["first_seen_at"] == "2026-11-23 12:00:00 IST"
    assert main(["leads", *options, "--status", "new"]) == 0
    shown = capsys.readouterr().out
    assert "+919000000001" in shown
    assert CALLER not in shown


def test_as_json(db: FilledDatabase, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leads", *options, "--format", "json"]) == 0
    assert [lead["number"] for lead in json.loads(capsys.readouterr().out)] == [CALLER, "+919000000001"]
    assert main(["leads", *options, "--format", "json", "--status", "converted"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_table_says_when_there_are_more(
    db: FilledDatabase, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(MAX_LIMIT):
        db.lead(1, f"+9191{n:08}")
    assert main(["leads", *options]) == 0
    assert "more than these 1,000; --format csv has all" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--since", "yesterday"], "no time ago like 24h"), (["--campaign", "shpo"], "known are")],
)
def test_what_cannot_be_meant(
    db: FilledDatabase,
    options: list[str],
    capsys: pytest.CaptureFixture[str],
    wrong: list[str],
    said: str,
) -> None:
    assert main(["leads", *options, *wrong]) == 2
    assert said in capsys.readouterr().err
