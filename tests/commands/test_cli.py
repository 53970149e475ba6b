"""The command line as a whole: nothing is missing from it, and a command loads what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
import trio

from missedd import commands
from missedd.cli import MODULES, all_commands, build_parser, main
from missedd.commands.shared import options as shared
from tests.commands.daemon import config

LOADED = """
import sys
from missedd.cli import main
try:
    main(sys.argv[1:])
finally:
    print("\\n".join(sys.modules), file=sys.stderr)
"""


def test_every_command_is_there_once() -> None:
    names = [each.name for each in iter_modules(commands.__path__)]
    there = [each for each in names if hasattr(import_module(f"missedd.commands.{each}"), "add_parser")]
    assert sorted(name.replace("-", "_") for name in (*MODULES, "operator")) == sorted(there)
    assert len({*all_commands()}) == len(all_commands())


@pytest.mark.real
def test_a_command_does_not_load_the_daemon() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "backup", "--help"], capture_output=True, text=True, check=True
    )
    assert "missedd backup" in done.stdout
    assert "missedd.commands.backup" in done.stderr.split()
    assert not {"missedd.daemon.daemon", "quart", "hypercorn", "faker"} & {*done.stderr.split()}


@pytest.mark.parametrize(
    ("word", "hint"),
    [("bakcup", "; did you mean 'backup'?"), ("supress", "; did you mean 'suppress'?"), ("xyz", "\n")],
)
def test_a_word_that_is_no_command_is_answered_with_what_was_meant(
    word: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word]) == 2
    told = capsys.readouterr().err
    assert f"there is no command {word!r}{hint}" in told
    assert all(each in told for each in all_commands())


def test_the_configuration_is_found_where_it_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here, etc = tmp_path / "missedd.toml", tmp_path / "etc.toml"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MISSEDD_CONFIG", raising=False)
    monkeypatch.setattr(shared, "CONFIG_PLACES", (Path("missedd.toml"), etc))
    assert main(["report"]) == 78
    told = capsys.readouterr().err
    assert told.startswith("missedd.toml: no such file\n")
    assert f"--config or MISSEDD_CONFIG, or put it at missedd.toml or {etc}" in told
    etc.touch()
    assert shared.default_config({}) == etc
    here.touch()
    assert shared.default_config({}) == Path("missedd.toml")
    assert shared.default_config({"MISSEDD_CONFIG": ""}) == Path("missedd.toml")
    assert shared.default_config({"MISSEDD_CONFIG": "x.toml"}) == Path("x.toml")
    monkeypatch.setenv("MISSEDD_CONFIG", str(tmp_path / "named.toml"))
    assert main(["report"]) == 78
    assert capsys.readouterr().err.startswith(f"{tmp_path}/named.toml: no such file\n")


@pytest.mark.parametrize("command", ["why", "report", "leads", "poll", "subscriptions"])
def test_json_is_asked_for_in_two_ways(command: str) -> None:
    words = ["x"] if command in ("why", "poll", "subscriptions") else []
    for options, said in (((), None), (("--json",), "json"), (("--format", "json"), "json")):
        found = build_parser([command]).parse_args([command, *words, *options]).format
        assert found == said or (said is None and found in ("words", "table"))


def test_an_example_of_help_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    for command in all_commands():
        with pytest.raises(SystemExit):
            main([command, "--help"])
    assert "%%" not in capsys.readouterr().out


def test_a_daemon_that_is_not_there_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["resume", *config(tmp_path), "on"]) == 1
    assert (
        capsys.readouterr().err == "the daemon cannot be reached at http://127.0.0.1:1: connection refused\n"
    )


def test_what_the_daemon_dies_of_is_a_line_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def dies(*_: object) -> None:
        async with trio.open_nursery():
            raise ZeroDivisionError

    monkeypatch.setattr("missedd.commands.serve.serve", dies)
    for name in ("EXOTEL_API_KEY", "EXOTEL_API_TOKEN", "MISSEDD_WEBHOOK_TOKEN"):
        monkeypatch.setenv(name, "of-these-tests")
    options = config(tmp_path)
    with (tmp_path / "missedd.toml").open("a", encoding="utf-8") as file:
        file.write("[campaign.lead]\n")
    text = (tmp_path / "missedd.toml").read_text("utf-8")
    (tmp_path / "missedd.toml").write_text(
        text.replace("[listen]", '[listen]\npublic_url = "http://127.0.0.1"'), "utf-8"
    )
    assert main(["serve", *options]) == 1
    told = capsys.readouterr()
    line = json.loads(told.out)
    assert (line["event"], line["level"]) == ("daemon.failed", "error")
    assert "ZeroDivisionError" in line["exception"]
    assert told.err == ""


@pytest.mark.real
def test_a_command_works_with_closed_streams() -> None:
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "missedd", "example"]
    assert subprocess.run(command, check=False).returncode == 0
