"""`missedd check` says what each text costs, and refuses one that differs from its template."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from missedd.base.clock import SystemClock
from missedd.cli import main
from missedd.store.sqlite.migrate import LATEST_VERSION
from tests.store.database import FilledDatabase

BASE = """
[listen]
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
[campaign.hours]
open = "daily 09:30-18:30"
[campaign.sms]
sender = "EXAMPL"
body = "You rang at {time}."
dlt_entity_id = "1"
dlt_template_id = "2"
dlt_template = "You rang at {#var#}."
[campaign.after_hours.sms]
body = "We’re closed until {opening}."
dlt_template_id = "3"
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXOTEL_API_KEY", "key")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "token")
    monkeypatch.setenv("MISSEDD_WEBHOOK_TOKEN", "abcdefghijklmnop")


def check(text: str, folder: Path) -> int:
    file = folder / "missedd.toml"
    file.write_text(text, "utf-8")
    return main(["check", "--config", str(file)])


def test_check_prints_the_size_of_each_sms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(BASE, tmp_path) == 0
    out = capsys.readouterr().out
    assert 'campaign "shop": sms.body: plain (GSM-7), at most 18 characters and 1 SMS; as registered\n' in out
    assert (
        "campaign \"shop\": after_hours.sms.body: unicode (UCS-2) because of '’' at character 3, at most 36 "
        "characters and 1 SMS; not compared with a template\n"
    ) in out
    assert 'warning: campaign "shop": after_hours.sms: without dlt_template' in out


def test_a_text_that_parts_from_its_template_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(BASE.replace("You rang at {#", "You rang: {#"), tmp_path) == 78
    err = capsys.readouterr().err
    assert (
        "campaign \"shop\": sms.body: differs from dlt_template: the text continues with ' at {time}.' "
        "(character 9), the template continues with ': {#var#}.' (character 9)"
    ) in err


def test_check_counts_recent_callers_of_countries_that_are_not_contacted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = SystemClock().now()
    db = FilledDatabase(tmp_path / "missedd.db")
    for i, (caller, days) in enumerate([("+971501234567", 29), ("+971501234567", 1), ("+971501234568", 31)]):
        db.call(f"c{i}", campaign="shop", caller=caller, at=now - timedelta(days=days))
    db.call("home", at=now, campaign="shop")
    db.close()
    assert check(BASE, tmp_path) == 0
    assert (
        'warning: campaign "shop": contact: of the last 30 days\' callers it will neither call nor text '
        '1 caller from AE (2 calls); countries = ["AE", "IN"] would keep them\n'
    ) in capsys.readouterr().out
    # Before its upgrade as well: whoever reads it then can still say whom to keep.
    with closing(sqlite3.connect(tmp_path / "missedd.db", isolation_level=None)) as old:
        old.execute("DROP TABLE notices")
        old.execute("PRAGMA user_version = 12")
    assert check(BASE, tmp_path) == 0
    out = capsys.readouterr().out
    assert "1 caller from AE (2 calls)" in out
    assert (
        f"the next start brings the database from schema version 12 to {LATEST_VERSION}, and "
        "keeps a copy of it as "
        "missedd.db.before-0013 for 7 days\n"
    ) in out
    assert check(BASE + '[contact]\ncountries = ["IN", "AE"]\n', tmp_path) == 0
    assert "contact" not in capsys.readouterr().out


def test_a_database_that_cannot_be_used_is_a_fault_of_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "missedd.db").write_bytes(b"this is no database at all" * 100)
    assert check(BASE, tmp_path) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"cannot use the database {tmp_path / 'missedd.db'}: ")
    assert "1 problem with this machine, none with " in said.err
    assert "is correct" not in said.out
