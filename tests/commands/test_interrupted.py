"""Ctrl-C and SIGTERM end a command with a word and a code, and a server without either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import trio

from missedd.base import interrupts
from simulator.base import interrupts as simulated
from tests.real.daemon import WAIT_AT_MOST_S

pytestmark = pytest.mark.real

MISSEDD, SIM = [sys.executable, "-m", "missedd"], [sys.executable, "-m", "simulator"]
BOTH = [interrupts.run_interruptible, simulated.run_interruptible]
type Guard = Callable[..., int]


def stop(number: int) -> int:
    os.kill(os.getpid(), number)
    raise AssertionError("it went on")


@pytest.mark.parametrize("guard", BOTH)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_code_says_what_interrupted_it(
    guard: Guard, number: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert guard(lambda: stop(number), is_server=False) == code
    assert capsys.readouterr().err == "interrupted\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("guard", BOTH)
def test_within_trio_it_is_the_same(guard: Guard, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> int:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            os.kill(os.getpid(), signal.SIGTERM)
            await trio.sleep(WAIT_AT_MOST_S)
        return 0

    assert guard(lambda: trio.run(main), is_server=False) == 143
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("guard", BOTH)
def test_where_control_c_is_ignored_sigterm_is_not(guard: Guard) -> None:
    """A shell script that ends a line in & starts the command so."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert guard(lambda: stop(signal.SIGTERM), is_server=False) == 143
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("guard", BOTH)
def test_a_server_that_is_stopped_before_it_serves_has_not_failed(
    guard: Guard, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(lambda: stop(signal.SIGTERM), is_server=True) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("guard", BOTH)
def test_a_terminal_that_hangs_up_ends_no_server(guard: Guard) -> None:
    def run() -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        return 7

    assert guard(run, is_server=True) == 7


def interrupted(command: list[str], reads: Path, number: int) -> tuple[int, str]:
    """Its code and its words, when it is interrupted while it reads that file."""
    os.mkfifo(reads)
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running,
        reads.open("w", encoding="utf-8"),  # opened once the other side reads
    ):
        running.send_signal(number)
        try:
            _, words = running.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            # It came in the instant between the opening and the reading, and would be heard after that.
            running.send_signal(number)
            _, words = running.communicate(timeout=WAIT_AT_MOST_S)
    return running.returncode, words


def test_a_command_that_is_interrupted_says_so(tmp_path: Path) -> None:
    config = tmp_path / "missedd.toml"
    assert interrupted([*MISSEDD, "why", "--config", str(config), "x"], config, signal.SIGINT) == (
        130,
        "interrupted\n",
    )


def test_replay_writes_its_results_also_when_the_system_ends_it(tmp_path: Path) -> None:
    file, junit = tmp_path / "a.toml", tmp_path / "out.xml"
    command = [*SIM, "replay", str(file), "--junit", str(junit)]
    assert interrupted(command, file, signal.SIGTERM) == (143, "interrupted\n")
    assert ElementTree.parse(junit).getroot().attrib["skipped"] == "1"
