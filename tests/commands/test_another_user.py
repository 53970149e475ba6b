"""Somebody who is not the daemon's user asks about a database: a sentence with the way out, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trio

from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.sqlite.migrate import migrate
from tests.real.daemon import ENVIRON

pytestmark = pytest.mark.real

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
from missedd.cli import build_parser, main
build_parser()  # loaded first, as the other user may perhaps not read the interpreter's own files
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(*[65534] * 3)
    os.setresuid(*[65534] * 3)
for command in json.loads(sys.argv[1]):
    print("::", main(command), flush=True)
    print("::", file=sys.stderr, flush=True)
"""


def without_coverage(environ: Mapping[str, str]) -> dict[str, str]:
    """Another user may not write into the folder where coverage collects what each program runs."""
    return {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")}


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


def closed_to_others(folder: Path, what: str) -> tuple[Path, Path]:
    """A configuration, and its database that only the owner may read, or whose folder only they may enter."""
    state = folder / what
    state.mkdir(mode=0o755)
    database, config = state / "missedd.db", folder / f"{what}.toml"
    shutil.copy(_empty_database(folder), database)
    config.write_text(
        f'[store]\npath = "{database}"\n[listen]\nprivate = "127.0.0.1:1"\n'
        'public_url = "http://127.0.0.1"\n'
        '[exotel]\naccount_sid = "example1"\napi_base = "http://127.0.0.1:1"\n',
        "utf-8",
    )
    config.chmod(0o644)
    is_owner = os.geteuid() != 0  # who is no root is kept out by taking the right from themselves
    database.chmod(0o000 if is_owner else 0o600)
    if what == "folder":
        state.chmod(0o000 if is_owner else 0o700)
    return config, database


def test_who_may_not_read_is_told_what_to_do(folder: Path) -> None:
    shutil.copy(_empty_database(folder), folder / "backup.db")
    (folder / "backup.db").chmod(0o644)
    asked = [
        (
            [
                name,
                "--config",
                str(config),
                *(str(database) if word == "DATABASE" else word for word in rest),
            ],
            database,
        )
        for config, database in (closed_to_others(folder, "folder"), closed_to_others(folder, "file"))
        for name, *rest in COMMANDS
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUNS_ALL, json.dumps([command for command, _ in asked])],
        env=without_coverage(ENVIRON),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    codes = [line for line in done.stdout.splitlines() if line.startswith("::")]
    words = [part.strip() for part in done.stderr.split("::\n")]
    assert len(codes) == len(asked)
    for (command, database), code, said in zip(asked, codes, words, strict=False):
        assert code == ":: 1", (command, said)
        assert str(database) in said, command
        assert "daemon's user" in said, command
        assert "Errno" not in said, command


def _empty_database(folder: Path) -> Path:
    """As a daemon leaves it behind."""
    made = folder / "made.db"

    async def make() -> None:
        connection = await InlineDriver().open(made, read_only=False)
        try:
            await connection.write([migrate])
        finally:
            await connection.close()

    trio.run(make)
    return made
