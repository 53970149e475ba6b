"""Forks one run at chosen storage steps: each copy crashes there and plays to its own end.

Example: a crash at step 900 shares 899 steps with every later crash. The *trunk* is a process that plays
these steps once and forks at each point. A *branch* is the run with a crash at that point, exactly as a
separate run would be; a test shows this. Only a process without threads may be forked: the simulation
runs in trio's own thread. The database is a file, and each branch gets a copy of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Collection, Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Lock
from pathlib import Path

from missedd.config.loader import Settings
from simulator.fuzz.judged_run import JudgedRun, run_judged
from simulator.harness.faulty_disk import CrashPoint, FaultyDisk
from simulator.harness.run_setup import run_in_folder
from simulator.scenario.scenario import Scenario


class ForkedRunFailed(Exception):
    """A run ended without a result; its exception is on stderr."""


def run_forks(
    scenario: Scenario, points: Collection[CrashPoint], parallel: int, *, with_trace: bool = False
) -> Iterator[tuple[CrashPoint, JudgedRun]]:
    """Yield a run with a crash for each point, in the order they end; `parallel` run at the same time.

    The runs have no traces unless `with_trace`. Raises ForkedRunFailed.
    """
    awaited = set(points)
    # The trunk is a new process, not a fork of this one, which may have threads and open files.
    processes = get_context("spawn")
    verdicts, out = processes.Pipe(duplex=False)
    lock = processes.Lock()
    with tempfile.TemporaryDirectory(prefix="missedd-sweep-") as root, verdicts:
        forks = CrashForks(frozenset(points), parallel, Path(root))
        trunk = processes.Process(target=_run_trunk, args=(scenario, forks, with_trace, out, lock))
        trunk.start()
        out.close()
        try:
            while awaited:
                point, run = verdicts.recv()
                awaited.remove(point)
                yield point, run
        except EOFError:
            raise ForkedRunFailed(
                f"{scenario.path}: no verdict on a crash at {sorted(awaited)[:3]}"
            ) from None
        finally:
            if awaited:
                _kill_trunk(trunk)
            trunk.join()


def _kill_trunk(trunk: BaseProcess) -> None:
    trunk.kill()
    if trunk.pid is not None:
        # Kill its branches too, if there are any.
        with suppress(ProcessLookupError):
            os.killpg(trunk.pid, signal.SIGKILL)


def _run_trunk(scenario: Scenario, forks: CrashForks, with_trace: bool, out: Connection, lock: Lock) -> None:
    # A process group of its own: the branches end with it, and Ctrl-C goes only to the waiting process.
    os.setpgid(0, 0)
    forks.enter_trunk()

    async def play(scenario: Scenario, settings: Settings) -> None:
        # Trunk and branches exit here: leaving trio's loop would close descriptors that they share.
        try:
            run = await run_judged(scenario, settings, forks, with_trace=with_trace)
            if forks.point is None:
                forks.wait_for_all()
            else:
                with lock:
                    out.send((forks.point, run))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    run_in_folder(Path(), scenario, play)


class CrashForks:
    """The crash rule of a trunk: its forks crash and the trunk goes on. Each has a folder in `root`."""

    def __init__(self, points: frozenset[CrashPoint], parallel: int, root: Path) -> None:
        self._points = points
        self._parallel = parallel
        self._root = root
        self._parent = 0
        self._running: dict[int, CrashPoint] = {}
        self._kept_files: object = None
        self.point: CrashPoint | None = None
        """The point at which this process was forked and crashed; None in the trunk."""

    def enter_trunk(self) -> None:
        """Make this process the trunk, and the trunk's folder the current folder."""
        self._parent = os.getppid()
        folder = self._root / "trunk"
        folder.mkdir()
        os.chdir(folder)

    def _folder_of(self, point: CrashPoint) -> Path:
        return self._root / f"{point[0]}-{point[1]}"

    def __call__(self, disk: FaultyDisk, point: CrashPoint) -> bool:
        if self.point is not None or point not in self._points:
            return False
        if os.getppid() != self._parent:
            os._exit(1)  # the process that waits for the results is gone
        if len(self._running) == self._parallel:
            self._wait_for_one()
        folder = self._folder_of(point)
        # The WAL index (-shm) is shared memory; SQLite rebuilds it from the WAL, as after a power cut.
        shutil.copytree(Path(), folder, ignore=shutil.ignore_patterns("*-shm"))
        child = os.fork()
        if child:
            self._running[child] = point
            return False
        self.point = point
        os.chdir(folder)
        writers_first = sorted(disk.connections, key=lambda each: each.read_only)
        self._kept_files = [connection.reopen() for connection in writers_first]
        return True

    def _wait_for_one(self) -> None:
        child, status = os.wait()
        step, when = self._running.pop(child)
        shutil.rmtree(self._folder_of((step, when)))
        if status:
            print(f"the run with a crash {when} step {step} ended with status {status}", file=sys.stderr)

    def wait_for_all(self) -> None:
        while self._running:
            self._wait_for_one()
