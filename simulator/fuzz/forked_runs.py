"""One run, copied at chosen storage steps: each copy dies there and is played to its own end.

A crash at step 900 shares 899 steps with every crash that comes later. The *trunk* is a process that
plays them once and forks at each point; a *branch* is the run with a crash at that point, to the
letter, as a test shows. Only a process without threads may be forked, and this one has none: whatever
is simulated happens in trio's own thread. Its database is a file, so each branch has a copy of that.
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
    """A run ended without a verdict; what it ended by is on the error stream."""


def run_forks(
    scenario: Scenario, points: Collection[CrashPoint], parallel: int, *, with_trace: bool = False
) -> Iterator[tuple[CrashPoint, JudgedRun]]:
    """A run with a crash for each of the points, as they end, `parallel` of them side by side.

    Without their traces unless `with_trace`. Raises ForkedRunFailed.
    """
    awaited = set(points)
    # A new process, not a copy of this one: it has threads and open files of its own.
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
        # Its branches too, if it has come so far as to have any.
        with suppress(ProcessLookupError):
            os.killpg(trunk.pid, signal.SIGKILL)


def _run_trunk(scenario: Scenario, forks: CrashForks, with_trace: bool, out: Connection, lock: Lock) -> None:
    # A group of its own: the branches end with it, and Ctrl-C is for the one who waits for the verdicts.
    os.setpgid(0, 0)
    forks.enter_trunk()

    async def play(scenario: Scenario, settings: Settings) -> None:
        # Trunk and branches end in here: to leave trio's loop takes the descriptors that they share.
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
    """The fate of a trunk: to live on, while its copies die. Each has a folder in `root`."""

    def __init__(self, points: frozenset[CrashPoint], parallel: int, root: Path) -> None:
        self._points = points
        self._parallel = parallel
        self._root = root
        self._parent = 0
        self._running: dict[int, CrashPoint] = {}
        self._kept_files: object = None
        self.point: CrashPoint | None = None
        """Where this process was copied and died, if it is a branch."""

    def enter_trunk(self) -> None:
        """Be the trunk, with the folder of that as the current one."""
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
            os._exit(1)  # nobody is left to hear of it
        if len(self._running) == self._parallel:
            self._wait_for_one()
        folder = self._folder_of(point)
        # The log's index is shared memory and is made anew from the log, as after a power cut.
        shutil.copytree(Path(), folder, ignore=shutil.ignore_patterns("*-shm"))
        child = os.fork()
        if child:
            self._running[child] = point
            return False
        self.point = point
        os.chdir(folder)
        writers_first = sorted(disk.connections, key=lambda each: each.read_only)
        self._kept_files = [each.reopen() for each in writers_first]
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
