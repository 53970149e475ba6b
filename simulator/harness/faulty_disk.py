"""The disk of the simulated daemon: counts its steps, and fails, stalls or loses power at some.

A *step* is one transaction of the daemon's writer. Four things can happen to a step:
- the machine dies before the commit;
- the machine dies after the commit, before the daemon knows of it;
- the disk is full or broken, and the transaction is lost;
- the disk is slow, and time passes before the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from random import Random
from weakref import WeakSet

import trio

from missedd.store.sqlite.inline_driver import InlineConnection
from simulator.scenario.disk_faults import DISK_ERRORS, DiskFault, DiskFaultName


class DaemonCrashed(BaseException):
    """The daemon died at this point. Not an `Exception`, so that no code of the daemon catches it."""


type CrashPoint = tuple[int, str]
"""A storage step, counted from 1, and `begin`, `before` its commit or `after` it."""

type CrashRule = Callable[[FaultyDisk, CrashPoint], bool]
"""Decides whether the machine dies at a point."""


def never_crash(disk: FaultyDisk, point: CrashPoint) -> bool:
    """The crash rule of a machine that never dies."""
    return False


def crash_at(crash_point: CrashPoint) -> CrashRule:
    return lambda disk, point: point == crash_point


class FaultyDisk:
    """`rng` decides whether a fault with a probability occurs; `crash_rule` says where the machine dies."""

    def __init__(self, rng: Random, crash_rule: CrashRule = never_crash) -> None:
        self._rng = rng
        self._crash_rule = crash_rule
        self.connections: WeakSet[InlineConnection] = WeakSet()
        """Connections to the database: the daemon's, and the observer's."""
        self.active: list[DiskFault] = []
        self.steps = 0
        self.error_count = 0
        self.longest_stall_s = 0.0

    def step(self, point: str) -> None:
        """Pass a `point`: `begin`, `before-commit` or `after-commit`.

        Raises DaemonCrashed or sqlite3.OperationalError.
        """
        when = point.removesuffix("-commit")
        if when == "begin":
            self.steps += 1
        if self._crash_rule(self, (self.steps, when)):
            raise DaemonCrashed
        fault = self._pick(when, slow=False)
        if fault is None:
            return
        if fault.name is DiskFaultName.CRASH:
            raise DaemonCrashed
        self.error_count += 1
        raise sqlite3.OperationalError(DISK_ERRORS[DiskFaultName(fault.name)])

    async def wait_for_disk(self) -> None:
        """Before each transaction let other tasks run; on a slow disk also wait."""
        fault = self._pick("before", slow=True)
        if fault is None:
            await trio.lowlevel.checkpoint()
            return
        self.longest_stall_s = max(self.longest_stall_s, fault.delay_s)
        await trio.sleep(fault.delay_s)

    def clear(self) -> None:
        self.active = []

    def _pick(self, when: str, *, slow: bool) -> DiskFault | None:
        for fault in self.active:
            if (fault.name is DiskFaultName.SLOW_DISK) != slow or (not slow and fault.when != when):
                continue
            if fault.probability < 1 and self._rng.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    self.active.remove(fault)
            return fault
        return None
