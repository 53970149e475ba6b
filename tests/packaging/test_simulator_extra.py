"""Without the extra `missedd[sim]` the daemon runs, and the demo and the simulator name the extra."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run_without(module: str, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    without = f"import sys; sys.modules[{module!r}] = None"
    code = f"{without}; from {program}.cli import main; sys.exit(main({words!r}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["faker", "hdrh"])
@pytest.mark.parametrize(("program", "command"), [("missedd", "demo"), ("simulator", "serve")])
def test_command_without_the_extra_names_what_to_install(module: str, program: str, command: str) -> None:
    ended = run_without(module, program, command)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{module} cannot be found: install missedd[sim]" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["serve", "check", "report"])
def test_command_of_a_server_needs_no_extra(command: str) -> None:
    assert run_without("faker", "missedd", command, "--help").returncode == 0
