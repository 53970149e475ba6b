"""Programs of the database machines: who they run as, and signals to a program with all its children.

PostgreSQL refuses to run as root. Where the tests do, its programs run as the user `postgres`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

USER = "postgres" if os.geteuid() == 0 else None
"""None runs the programs as whoever runs the tests."""

KILL_AT_MOST_S = 30.0
"""How long the kernel may take to end what got its SIGKILL; milliseconds where nothing is wrong."""


def start(command: list[str], log: Path, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with no more of our environment than it needs."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            start_new_session=True,
            user=USER,
            group=USER,
            extra_groups=[] if USER else None,
        )


def give(folder: Path) -> None:
    """Let the programs write in that folder."""
    if USER:
        shutil.chown(folder, USER, USER)


def family(roots: Iterable[int]) -> list[int]:
    """These programs and all that descend from them, parents first.

    The servers of single connections have a process group each, so that a signal to a group misses them.
    """
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
            children[parent].append(int(entry.name))
    found: list[int] = []
    waiting = [pid for pid in roots if _parent(pid) is not None]
    while waiting:
        pid = waiting.pop(0)
        if pid not in found:
            found.append(pid)
            waiting += children[pid]
    return found


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill(roots: Iterable[int]) -> None:
    """SIGKILL to these and all that descend from them, and wait until they are gone.

    They are stopped first: what stands still starts nothing that the list of descendants would lack.
    """
    roots = [*roots]
    send(signal.SIGSTOP, roots)
    pids = family(roots)
    send(signal.SIGKILL, pids)
    began = time.monotonic()
    while any(_parent(pid) is not None for pid in pids):
        assert time.monotonic() - began < KILL_AT_MOST_S, f"{pids} do not end"
        time.sleep(0.01)


def _parent(pid: int) -> int | None:
    """The parent of a program that runs; None for one that has ended, also if nobody has asked how."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return None if state in "ZX" else int(parent)
