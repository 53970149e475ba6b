"""Somebody who is not the daemon's user asks about a database: a sentence with the way out, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from missedd.store.inline import InlineDriver
from missedd.store.migrate import migrate
from tests.real.daemon import ENVIRON

COMMANDS = (
    ["why", "9876543210"],
    ["report"],
    ["leads"],
    ["poll", "singer"],
    ["poll", "singer", "--recount"],
    ["subscriptions", "weather"],
    ["backup", "copy.db"],
    ["restore", "--verify", "DATABASE"],
    ["restore", "backup.db"],
    ["release"],
    ["check", "--quiet"],
)
RUNS_ALL = """
import encodings.idna, json, os, sys
from missedd.cli import COMMANDS, main, parser
parser(COMMANDS)  # loaded first, as the other user may perhaps not read the interpreter's own files
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(*[65534] * 3)
    os.setresuid(*[65534] * 3)
for command in json.loads(sys.argv[1]):
    print("::", main(command), flush=True)
    print("::", file=sys.stderr, flush=True)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter, as pytest's own is not."""
    path = Path(tempfile.mkdtemp(prefix="missedd-another-user-", dir="/tmp"))
    path.chmod(0o777)
    yield path
    for inner in path.rglob("*"):
        if inner.is_dir():
            inner.chmod(0o700)
    shutil.rmtree(path)


@pytest.mark.parametrize("closed", ["folder", "file"])
def test_who_may_not_read_is_told_what_to_do(folder: Path, closed: str) -> None:
    state = folder / "state"
    state.mkdir(mode=0o755)
    database = state / "missedd.db"
    shutil.copy(_empty_database(folder), database)
    shutil.copy(database, folder / "backup.db")
    config = folder / "missedd.toml"
    config.write_text(
        '[store]\npath = "state/missedd.db"\n[listen]\nprivate = "127.0.0.1:1"\npublic_url = "http://127.0.0.1"\n'
        '[exotel]\naccount_sid = "example1"\napi_base = "http://127.0.0.1:1"\n',
        "utf-8",
    )
    for path in (folder / "backup.db", config):
        path.chmod(0o644)
    database.chmod(0o000 if os.geteuid() else 0o600)
    if closed == "folder":
        state.chmod(0o000 if os.geteuid() else 0o700)
    commands = [
        [name, "--config", str(config), *(str(database) if word == "DATABASE" else word for word in rest)]
        for name, *rest in COMMANDS
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUNS_ALL, json.dumps(commands)],
        env=ENVIRON,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    codes = [line for line in done.stdout.splitlines() if line.startswith("::")]
    words = [part.strip() for part in done.stderr.split("::\n")]
    for command, code, said in zip(COMMANDS, codes, words, strict=False):
        assert code == ":: 1", (command, said)
        assert str(database) in said, command
        assert "daemon's user" in said, command
        assert "Errno" not in said, command
    assert len(codes) == len(COMMANDS)


def _empty_database(folder: Path) -> Path:
    """As a daemon leaves it behind."""

    async def make() -> None:
        connection = await InlineDriver().open(folder / "made.db", read_only=False)
        try:
            await connection.write([migrate])
        finally:
            await connection.close()

    trio.run(make)
    return folder / "made.db"
