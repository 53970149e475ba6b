"""The command line as a whole: nothing is missing from it, and a command loads what it needs."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

from missedd import commands
from missedd.cli import COMMANDS

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
    assert sorted(COMMANDS) == sorted(there)


def test_a_command_does_not_load_the_daemon() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "backup", "--help"], capture_output=True, text=True, check=True
    )
    assert "missedd backup" in done.stdout
    assert "missedd.commands.backup" in done.stderr.split()
    assert not {"missedd.daemon", "quart", "hypercorn", "faker"} & {*done.stderr.split()}


def test_a_word_that_is_no_command_is_answered_with_all_of_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "missedd", "bakcup"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert all(each in done.stderr for each in COMMANDS)
