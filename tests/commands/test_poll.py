"""`missedd poll`: what it shows, what a recount finds, and results that can be checked by anybody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from missedd.base.clock import SystemClock
from missedd.cli import main
from missedd.config.loader import load_settings
from missedd.store.admission.admit import admit
from missedd.store.polls.rule_changes import recount_changed_polls
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import open_store
from tests.core.campaigns import CALLER, NOON, OTHER, THIRD, call, minutes

KEY = b"a key of twenty-four bytes"
CONFIG = """
[exotel]
account_sid = "example1"
[[poll]]
name = "singer"
closes_at = 2026-11-23T12:10:00+05:30
[[campaign]]
name = "vote-ravi"
exophones = ["+918047120011"]
vote = { poll = "singer", option = "Ravi" }
[[campaign]]
name = "vote-asha"
exophones = ["+918047120010"]
vote = { poll = "singer", option = "Asha" }
[[campaign]]
name = "vote-zia"
exophones = ["+918047120012"]
vote = { poll = "singer", option = "Zia" }
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, and beside it a database with six votes."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setattr(SystemClock, "now", lambda _self: NOON + minutes(60))
    monkeypatch.setenv("MISSEDD_WEBHOOK_SECRET", "whsec_" + base64.b64encode(KEY).decode())
    file = tmp_path / "missedd.toml"
    file.write_text(CONFIG, "utf-8")
    settings = load_settings(file, {})

    async def fill() -> None:
        calls = [
            call("c1", dialled=("+918047120010",), caller=CALLER),
            call("c2", NOON + minutes(1), dialled=("+918047120011",), caller=CALLER),
            call("c3", dialled=("+918047120010",), caller=OTHER),
            call("c4", dialled=("+918047120011",), caller=THIRD),
            call("c5", NOON + minutes(10), dialled=("+918047120011",), caller="+919800000004"),
            call("c6", dialled=("+918047120010",), caller="+919800000005"),
        ]
        async with open_store(InlineDriver(), settings.store, "a test") as store:
            await store.write(partial(recount_changed_polls, policy=settings.policy))
            await store.write(
                partial(admit, calls=calls, policy=settings.policy, received_at=NOON + minutes(10))
            )

    trio.run(fill)
    return file


@pytest.fixture
def spoil(config: Path) -> Callable[[str], None]:
    """Change the database behind our back."""

    def run(sql: str) -> None:
        with sqlite3.connect(config.with_name("missedd.db")) as connection:
            connection.execute(sql)
        connection.close()

    return run


def test_poll_shows_the_tally(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["poll", "--config", str(config), "singer"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "singer: closed since 2026-11-23 12:10:00 IST" in lines[0]
    rows = [line.replace("│", " ").split() for line in lines]
    assert ["Ravi", "1", "25.0%"] in [[each for each in row if "█" not in each] for row in rows]
    assert ["Asha", "3", "75.0%"] in [[each for each in row if "█" not in each] for row in rows]
    assert ["Zia", "0", "0.0%"] in rows
    assert ["counted", "4"] in rows
    assert "not counted: 1 surplus, 1 late" in lines[-1]


def test_for_machines_it_is_what_the_api_says(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["poll", "--config", str(config), "singer", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["total"], told["options"][1]) == (4, {"option": "Asha", "votes": 3})


def test_a_recount_agrees(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["poll", "--config", str(config), "singer", "--recount"]) == 0
    assert (
        capsys.readouterr().out
        == "singer: 6 votes of 5 numbers, 4 of them count: the votes and the tally agree with the calls\n"
    )
    assert main(["poll", "--config", str(config), "singer", "--recount", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["agrees"], told["differences"], told["total"], told["numbers"]) == (True, [], 4, 5)


def test_a_recount_that_does_not_agree_says_where_and_signs_nothing(
    config: Path, spoil: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    spoil("UPDATE tallies SET votes = 30 WHERE option = 'Asha'")
    result = config.with_name("result.json")
    assert main(["poll", "--config", str(config), "singer", "--result", str(result)]) == 1
    assert "  option Asha: 3 counted by the calls, the tally says 30\n" in capsys.readouterr().out
    assert not result.exists()
    assert main(["poll", "--config", str(config), "singer", "--recount", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["agrees"] is False


def test_of_many_differences_the_first_are_shown(
    config: Path, spoil: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(30):
        spoil(f"INSERT INTO tallies (poll, option, late) VALUES ('singer', 'o{n:02d}', 1)")
    assert main(["poll", "--config", str(config), "singer", "--recount"]) == 1
    out = capsys.readouterr().out
    assert "30 differences" in out
    assert out.count("option o") == 20
    assert out.endswith("  … and 10 more\n")


def test_rules_that_do_not_hold_yet_are_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("12:10:00", "12:00:30"), "utf-8")
    assert main(["poll", "--config", str(config), "singer", "--recount"]) == 0
    said = capsys.readouterr()
    assert "4 of them count" in said.out
    assert "they hold from the next start on" in said.err


def test_a_result_can_be_checked_with_nothing_of_ours(config: Path) -> None:
    file = config.with_name("result.json")
    assert main(["poll", "--config", str(config), "singer", "--result", str(file)]) == 0
    result = json.loads(file.read_text("utf-8"))
    signature = result.pop("signature")
    canonical = json.dumps(result, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    expected = base64.b64encode(hmac.new(KEY, canonical, hashlib.sha256).digest()).decode()
    assert signature == f"v1,{expected}"
    assert (result["calls"], result["numbers"], result["total"], result["state"]) == (6, 5, 4, "closed")
    assert result["digest"] == hashlib.sha256(b"c1\nc3\nc4\nc6").hexdigest()
    assert result["options"] == [
        {"option": "Ravi", "votes": 1, "digest": hashlib.sha256(b"c4").hexdigest()},
        {"option": "Asha", "votes": 3, "digest": hashlib.sha256(b"c1\nc3\nc6").hexdigest()},
        {"option": "Zia", "votes": 0, "digest": hashlib.sha256(b"").hexdigest()},
    ]


def test_a_result_is_verified_however_it_is_written(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config.with_name("result.json")
    main(["poll", "--config", str(config), "singer", "--result", str(file)])
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")), sort_keys=True), "utf-8")
    capsys.readouterr()
    assert main(["poll", "--config", str(config), "singer", "--verify", str(file)]) == 0
    assert "the database gives the same votes, call by call" in capsys.readouterr().out
    config.with_name("missedd.db").unlink()
    assert main(["poll", "--config", str(config), "singer", "--verify", str(file)]) == 0
    assert "no database here to compare it with" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("replaced", "by", "words"),
    [
        ('"votes": 3', '"votes": 4', "the signature does not fit"),
        ('"poll": "singer"', '"poll": "dancer"', "the signature does not fit"),
        ('"signature": "v1,', '"signature": "v1,A', "the signature does not fit"),
        ('"format": "missedd', '"format": "other', "is no result of a poll"),
        ("{", "", "is no result of a poll"),
    ],
)
def test_a_result_that_was_changed_is_found_out(
    config: Path, capsys: pytest.CaptureFixture[str], replaced: str, by: str, words: str
) -> None:
    file = config.with_name("result.json")
    main(["poll", "--config", str(config), "singer", "--result", str(file)])
    text = file.read_text("utf-8")
    assert replaced in text
    file.write_text(text.replace(replaced, by, 1), "utf-8")
    assert main(["poll", "--config", str(config), "singer", "--verify", str(file)]) == 1
    assert words in capsys.readouterr().err


def test_a_database_that_was_changed_is_found_out(
    config: Path, spoil: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    file = config.with_name("result.json")
    main(["poll", "--config", str(config), "singer", "--result", str(file)])
    # The same sums, and one call is another.
    spoil("UPDATE votes SET call_sid = 'c7' WHERE call_sid = 'c6'")
    spoil("UPDATE calls SET call_sid = 'c7' WHERE call_sid = 'c6'")
    assert main(["poll", "--config", str(config), "singer", "--recount"]) == 0
    assert main(["poll", "--config", str(config), "singer", "--verify", str(file)]) == 1
    said = capsys.readouterr().err
    assert "digest: the result says" in said
    assert "the database has changed since" in said


def test_without_the_secret_nothing_is_signed(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MISSEDD_WEBHOOK_SECRET")
    file = config.with_name("result.json")
    for option in ("--result", "--verify"):
        assert main(["poll", "--config", str(config), "singer", option, str(file)]) == 78
        assert "MISSEDD_WEBHOOK_SECRET" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize("more", [[], ["--recount"], ["--json"]])
def test_an_unknown_poll_is_named(config: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    assert main(["poll", "--config", str(config), "dancer", *more]) == 1
    assert "there is no poll 'dancer'" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--recount"]])
def test_without_a_database_it_says_so(
    config: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    config.with_name("missedd.db").unlink()
    assert main(["poll", "--config", str(config), "singer", *more]) == 1
    assert "there is no database" in capsys.readouterr().err


def test_what_does_not_go_together_is_usage(config: Path) -> None:
    assert main(["poll", "--config", str(config), "singer", "--recount", "--verify", "x"]) == 2


def test_an_open_poll_says_that_its_result_is_not_the_last(
    config: Path, spoil: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    rules = {"votes_per_number": 1, "keep": "first", "opens_at": None, "closes_at": None}
    spoil(f"UPDATE poll_rules SET rules = '{json.dumps(rules)}'")
    spoil("UPDATE votes SET standing = 'counted' WHERE standing = 'late'")
    spoil("UPDATE tallies SET votes = votes + late, late = 0")
    config.write_text(CONFIG.replace("closes_at = 2026-11-23T12:10:00+05:30\n", ""), "utf-8")
    file = config.with_name("result.json")
    assert main(["poll", "--config", str(config), "singer", "--result", str(file)]) == 0
    assert "how it stands now" in capsys.readouterr().err
    assert json.loads(file.read_text("utf-8"))["state"] == "open"
