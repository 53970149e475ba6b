"""`missedd-sim replay` as a command: what it prints, writes and exits with, whatever the files are like."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simulator.cli import main
from simulator.harness import replay as replaying
from simulator.harness.replay import ReplayResult
from simulator.scenario.scenario import Scenario
from tests.simulator.scenario.test_reader import WELL

pytestmark = pytest.mark.real

SHORT = """
about = "One call."
start = 2026-11-23T11:00:00+05:30
until = "2d"
seed = 1
[[daemon.campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "30s" }
[people]
asha = { number = "+919876543210" }
[[at]]
time = "+0s"
ring = "asha"
[[expect]]
what = "rings"
person = "asha"
after = "+20s"
answered = true
exactly = 1
"""
FAILS = SHORT.replace("exactly = 1", "exactly = 7")


def files(folder: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return [str(folder / f"{name}.toml") for name in texts]


def cases(junit: Path) -> dict[str, str]:
    """The verdict of each test case: the tag of what is in it, or `passed`."""
    suite = ElementTree.parse(junit).getroot()
    return {str(case.get("name")): next((each.tag for each in case), "passed") for case in suite}


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = files(tmp_path, bad=SHORT.replace("ring =", "rign ="), fails=FAILS, broken="x = [", well=SHORT)
    junit = tmp_path / "a folder that is missing" / "out.xml"
    assert main(["replay", *paths, str(tmp_path), "--junit", str(junit)]) == 2
    told = capsys.readouterr()
    assert "1 passed, 1 failed, 3 could not be run" in told.out
    assert "bad.toml: at[0]: needs exactly one of ring, " in told.err
    assert "broken.toml: not TOML" in told.err
    assert f"{tmp_path}: cannot be read: Is a directory" in told.err
    assert cases(junit) == {
        "bad": "error",
        "fails": "failure",
        "broken": "error",
        "well": "passed",
        tmp_path.name: "error",
    }


@pytest.mark.parametrize(("text", "code"), [(SHORT, 0), (FAILS, 1), ("", 2)])
def test_replay_exit_codes(tmp_path: Path, text: str, code: int) -> None:
    assert main(["replay", *files(tmp_path, only=text)]) == code


def test_a_mistake_that_shows_in_the_run_is_one_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = SHORT.replace('ring = "asha"', 'redeliver = "asha"')
    nothing = SHORT + '\n[[expect]]\nwhat = "api"\nget = "/api/v1/calls"\npath = "items.7"\nequals = 1\n'
    down = SHORT + '\n[[at]]\ntime = "+1m"\ndaemon = "stop"\n[[at]]\ntime = "+2m"\nsuppress = "asha"\n'
    assert main(["replay", *files(tmp_path, early=early, nothing=nothing, down=down, well=SHORT)]) == 2
    told = capsys.readouterr()
    assert "early.toml: at[0]: asha has not called yet" in told.err
    assert "nothing.toml: expect[1].path: there is no '7' in the answer" in told.err
    assert "down.toml: at[2]: the daemon is not running then" in told.err
    assert "1 passed, 0 failed, 3 could not be run" in told.out


def test_a_run_that_falls_is_an_error_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_once(scenario: Scenario, server: str | None) -> ReplayResult:
        if scenario.name == "falls":
            raise ExceptionGroup("in a nursery", [RuntimeError("[the daemon] fell")])
        return really(scenario, server)

    really = replaying.replay_scenario
    monkeypatch.setattr(replaying, "replay_scenario", fall_once)
    junit = tmp_path / "out.xml"
    assert main(["replay", *files(tmp_path, falls=SHORT, well=SHORT), "--junit", str(junit)]) == 1
    told = capsys.readouterr()
    assert "ERROR falls: it ended by RuntimeError: [the daemon] fell\n" in told.out
    assert told.out.endswith("1 passed, 0 failed, 1 could not be run\n")
    assert "Traceback" in told.err
    assert cases(junit) == {"falls": "error", "well": "passed"}


def test_a_junit_file_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *files(tmp_path, well=SHORT), "--junit", str(tmp_path)]) == 2
    assert f"{tmp_path}: cannot be written: Is a directory" in capsys.readouterr().err


def test_an_answer_of_the_api_that_is_another_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = '\n[[at]]\ntime = "+1m"\napi = "GET"\npath = "/api/v1/leads"\nstatus = 404\n'
    assert main(["replay", *files(tmp_path, other=SHORT + asked)]) == 1
    told = capsys.readouterr().out
    assert "expected GET /api/v1/leads: 404  [at[1]]\nhappened a status of 200\n" in told


def test_failures_are_told_in_words_and_not_wrapped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *files(tmp_path, a_scenario_with_a_name_that_needs_most_of_a_line=FAILS)]) == 1
    first, expected, happened, ring, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("FAILED a_scenario_with_a_name_that_needs_most_of_a_line: 1 expectations, 2d in ")
    assert first.endswith("× real time)")
    assert expected == "expected rings (person asha, after +20s, answered true): exactly 7  [expect[0]]"
    assert happened == "happened 1"
    assert ring.startswith("    ring: number +919876543210 (asha), caller id +918047120001, leg 1, ")
    assert "started at +30s, answered at +36s, ended at +1m21s, ended completed" in ring


def test_ctrl_c_tells_what_was_found_so_far(tmp_path: Path) -> None:
    # The second would take hours: it lasts ten years, with somebody calling every second.
    endless = SHORT.replace('"2d"', '"3650d"').replace(
        'ring = "asha"', 'ring = "asha"\ntimes = 99999999\nevery = 1'
    )
    paths = files(tmp_path, well=SHORT, endless=endless, later=SHORT)
    junit = tmp_path / "out.xml"
    command = [sys.executable, "-u", "-m", "simulator", "replay", *paths, "--junit", str(junit)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as replay:
        assert replay.stdout is not None
        assert replay.stderr is not None
        assert replay.stdout.readline().startswith("passed well")
        replay.send_signal(signal.SIGINT)
        assert replay.stdout.read() == "1 passed, 0 failed, 2 not run\n"
        assert replay.stderr.read() == "interrupted\n"
    assert replay.returncode == 130
    assert cases(junit) == {"well": "passed", "endless": "skipped", "later": "skipped"}


def test_a_file_that_says_everything_can_be_played(tmp_path: Path) -> None:
    assert main(["replay", *files(tmp_path, all=WELL)]) in (0, 1)
