"""The faults of the simulated daemon's disk."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.base.choices import Choice


class DiskFaultName(Choice):
    CRASH = "crash"
    DISK_FULL = "disk-full"
    IO_ERROR = "io-error"
    SLOW_DISK = "slow-disk"


DISK_ERRORS = {
    DiskFaultName.DISK_FULL: "database or disk is full",
    DiskFaultName.IO_ERROR: "disk I/O error",
}
"""SQLite's error texts for disk faults."""


@dataclass(slots=True, eq=False)
class DiskFault:
    """One fault of the disk. `delay_s` is the delay of a slow disk, in seconds.

    `when` is `begin`, `before` (the commit) or `after` (the commit). A full or broken disk fails at
    `begin` or `before`. `times` counts down; None means for ever. Raises ValueError for invalid values.
    """

    name: DiskFaultName | str
    when: str = "before"
    times: int | None = None
    probability: float = 1.0
    delay_s: float = 5.0

    def __post_init__(self) -> None:
        self.name = DiskFaultName(self.name)
        if self.when not in ("begin", "before", "after"):
            raise ValueError(f"'when' is 'begin', or 'before' or 'after' the commit, not {self.when!r}")
        if self.when == "after" and self.name in DISK_ERRORS:
            raise ValueError(f"{self.name.value!r} cannot come after the commit")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"'probability' lies between 0 and 1, not {self.probability!r}")
