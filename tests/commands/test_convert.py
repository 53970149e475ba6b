"""`missedd convert`: one conversion or a file of them, through a daemon that stands at the other end."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest

from missedd.cli import main
from missedd.commands.conversions.csv_file import CsvLine
from missedd.commands.conversions.upload import ConversionUpload
from tests.commands.daemon import JsonEndpoint, config, serve_in_thread

pytestmark = pytest.mark.real


class Daemon(HTTPServer):
    """Knows each reference after it was said once, and nobody whose number has no 9 in it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.batches: list[int] = []
        self.known: dict[str, Any] = {}
        self.refuses_after: int | None = None

    def convert(self, said: dict[str, Any], *, dry_run: bool = False) -> tuple[int, dict[str, Any]]:
        if "9" not in (said.get("number") or "9"):
            return 404, {"status": 404, "detail": "number: has never called a campaign", "field": "number"}
        first = self.known.get(said["reference"])
        if first is None and not dry_run:
            self.known[said["reference"]] = said
        differs = ["value"] if first and first.get("value") != said.get("value") else []
        shown = {"campaign": "shop", "call_sid": "c1", "created_at": "2026-11-23T06:30:00.000Z"}
        return 201 if first is None else 200, {**shown, "repeated": first is not None, "differs": differs}


class _Answer(JsonEndpoint):
    server: Daemon

    def do_POST(self) -> None:
        daemon = self.server
        said = self.json_body()
        if "items" not in said:
            status, body = daemon.convert(said)
        elif daemon.refuses_after is not None and len(daemon.batches) >= daemon.refuses_after:
            status, body = 500, {"detail": "something went wrong here"}
        else:
            daemon.batches.append(len(said["items"]))
            status, body = 200, {"items": [self._item(each, said["dry_run"]) for each in said["items"]]}
        self.reply(status, json.dumps(body).encode())

    def _item(self, said: dict[str, Any], dry_run: bool) -> dict[str, Any]:
        status, body = self.server.convert(said, dry_run=dry_run)
        if status == 404:
            return {**body, "conversion": None}
        return {"status": status, "detail": None, "field": None, "conversion": body}


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with serve_in_thread(Daemon()) as daemon:
        yield daemon


@pytest.fixture
def convert(daemon: Daemon, tmp_path: Path) -> list[str]:
    return ["convert", *config(tmp_path, daemon.server_port)]


def orders(folder: Path, *lines: str) -> str:
    file = folder / "orders.csv"
    file.write_text("\n".join(["order_id,phone,amount", *lines]) + "\n", "utf-8")
    return str(file)


def test_convert_of_one_conversion_prints_its_call(
    daemon: Daemon, convert: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    one = [*convert, "--number", "98765 43210", "--reference", "o1", "--value", "2500"]
    assert main(one) == 0
    assert capsys.readouterr().out == "o1 is recorded for shop, call c1\n"
    assert daemon.known["o1"] == {
        "reference": "o1",
        "number": "98765 43210",
        "call_sid": None,
        "campaign": None,
        "at": None,
        "value": 2500.0,
    }
    assert main(one) == 0
    assert "o1 is known since 2026-11-23 12:00:00 IST; nothing was changed" in capsys.readouterr().out
    assert main([*one[:-1], "9"]) == 0
    assert "with another value; nothing" in capsys.readouterr().out
    assert main([*convert, "--number", "91", "--reference", "o3", "--at", "30-Nov-2026 10:45 AM"]) == 0
    assert daemon.known["o3"]["at"] == "2026-11-30T10:45:00"
    capsys.readouterr()
    assert main([*convert, "--number", "91", "--reference", "o4", "--at", "11/12/2026"]) == 2
    assert "'11/12/2026': may be a day and a month or the other way round" in capsys.readouterr().err
    assert main([*convert, "--number", "1", "--reference", "o2"]) == 1
    assert capsys.readouterr().err == "o2: number: has never called a campaign\n"


def test_a_file(
    daemon: Daemon, convert: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = orders(tmp_path, "o1,91,5", "o2,92,5", "o1,91,6", "o3,1,5", "o4,94", "o5,95,x")
    out = tmp_path / "bad.csv"
    assert main([*convert, "--file", file, "--campaign", "shop", "--rejected", str(out)]) == 1
    told = capsys.readouterr()
    assert told.out == (
        "columns: reference = order_id, number = phone, value = amount\n"
        "6 lines: 2 recorded, 1 known before (1 of them with other contents, which change nothing), "
        "3 rejected\n"
    )
    assert told.err.splitlines() == [
        "line 5: phone '1': has never called a campaign",
        "line 6: has 2 cells, the header has 3",
        "line 7: amount 'x': is not an amount such as 2500, ₹499 or 1,25,000.50",
    ]
    with out.open(encoding="utf-8", newline="") as rejected:
        rows = list(csv.reader(rejected))
    assert rows[0] == ["line", "reason", "order_id", "phone", "amount"]
    assert [row[0] for row in rows[1:]] == ["5", "6", "7"]
    assert rows[1][2:] == ["o3", "1", "5"]
    assert {each["campaign"] for each in daemon.known.values()} == {"shop"}


def test_a_well_file_twice(
    daemon: Daemon, convert: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = orders(tmp_path, *(f"o{n},9{n},5" for n in range(1201)))
    assert main([*convert, "--file", file]) == 0
    assert "1,201 lines: 1,201 recorded, 0 known before, 0 rejected" in capsys.readouterr().out
    assert daemon.batches == [500, 500, 201]
    assert main([*convert, "--file", file]) == 0
    assert "1,201 lines: 0 recorded, 1,201 known before, 0 rejected" in capsys.readouterr().out


def test_batches_stay_below_what_the_listener_takes(
    daemon: Daemon, convert: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = orders(tmp_path, *(f"{'o' * 1000}{n},9{n},5" for n in range(450)), f"{'o' * 5000},9,5")
    assert main([*convert, "--file", file]) == 1
    assert "line 452: is longer than 4000 bytes" in capsys.readouterr().err
    assert sum(daemon.batches) == 450
    assert max(daemon.batches) < 200


def test_a_dry_run(
    daemon: Daemon, convert: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = orders(tmp_path, "o1,91,5", "o1,91,5", "o2,92,5")
    assert main([*convert, "--file", file, "--dry-run"]) == 0
    assert "3 lines: 2 would be recorded, 1 known before, 0 rejected" in capsys.readouterr().out
    assert daemon.known == {}


def test_a_daemon_that_gives_up_halfway(
    daemon: Daemon, convert: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.refuses_after = 1
    file = orders(tmp_path, *(f"o{n},9{n},5" for n in range(900)))
    assert main([*convert, "--file", file]) == 1
    told = capsys.readouterr()
    assert "500 lines: 500 recorded" in told.out
    assert "stopped: something went wrong here; run it again, what is recorded stays" in told.err


def test_many_rejected_lines_are_not_all_told(
    convert: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = orders(tmp_path, *(f"o{n},1,5" for n in range(30)))
    assert main([*convert, "--file", file]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 10 more; --rejected OUT writes all of them"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --file, or --reference with --number or --call-sid"),
        (["--reference", "o1"], "give --file, or --reference"),
        (["--file", "{file}", "--number", "9"], "--file brings its own number"),
        (["--file", "{file}", "--map", "price=amount"], "--map price=amount: write FIELD=COLUMN"),
        (["--file", "{file}", "--map", "value=Price"], "has no column 'Price'"),
        (["--file", "{file}", "--rejected", "{file}"], "--rejected would overwrite the file itself"),
        (["--number", "9", "--reference", "o1", "--dry-run"], "are for --file"),
        (["--number", "9", "--reference", "o1", "--value", "nan"], "--value is a number"),
    ],
)
def test_what_it_does_not_understand_is_usage(
    convert: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    file = orders(tmp_path, "o1,91,5")
    assert main([*convert, *(each.format(file=file) for each in arguments)]) == 2
    assert words in capsys.readouterr().err


def test_without_a_file_or_a_daemon_it_says_so(
    daemon: Daemon, convert: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*convert, "--file", str(tmp_path / "none.csv")]) == 1
    assert "none.csv: cannot be read: No such file" in capsys.readouterr().err
    config = Path(convert[2])
    config.write_text(config.read_text("utf-8").replace(str(daemon.server_port), "1"), "utf-8")
    assert main([*convert, "--file", orders(tmp_path, "o1,91,5")]) == 1
    assert "stopped: the daemon cannot be reached" in capsys.readouterr().err
    assert main([*convert, "--number", "9", "--reference", "o1"]) == 1


def test_an_interrupted_file_tells_what_was_sent(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(sending: ConversionUpload, lines: Iterator[CsvLine], shown: Callable[[], None]) -> None:
        sending.counts.recorded = 7
        raise KeyboardInterrupt

    monkeypatch.setattr(ConversionUpload, "send", interrupted)
    file = tmp_path / "orders.csv"
    file.write_text("order_id,phone\n1,9876543210\n", "utf-8")
    assert main(["convert", *config(tmp_path, daemon.server_port), "--file", str(file)]) == 130
    told = capsys.readouterr()
    assert "7 lines:" in told.out
    assert "stopped: interrupted; run it again" in told.err
    assert told.err.endswith("interrupted\n")
