"""The simulated disk and the contradicting provider: each fault does what its name says, and no more."""

from __future__ import annotations

import sqlite3
from random import Random

import pytest

from simulator.exchange.webhooks.contradicting_report import contradict_report
from simulator.exchange.webhooks.request import OutboundWebhook
from simulator.harness.faulty_disk import DaemonCrashed, FaultyDisk, crash_at
from simulator.scenario.disk_faults import DiskFault

POINTS = ("begin", "before-commit", "after-commit")


def steps(disk: FaultyDisk, transactions: int) -> list[tuple[int, str, type[BaseException]]]:
    """Walk through transactions as a writer would; what was raised, and where."""
    raised: list[tuple[int, str, type[BaseException]]] = []
    for number in range(1, transactions + 1):
        for point in POINTS:
            try:
                disk.step(point)
            except (DaemonCrashed, sqlite3.OperationalError) as failure:
                raised.append((number, point, type(failure)))
                break
    return raised


@pytest.mark.parametrize(("when", "point"), [("before", "before-commit"), ("after", "after-commit")])
def test_a_sweep_kills_once_at_its_step(when: str, point: str) -> None:
    assert steps(FaultyDisk(Random(1), crash_at((2, when))), 4) == [(2, point, DaemonCrashed)]


def test_a_full_disk_refuses_until_it_is_cleared() -> None:
    disk = FaultyDisk(Random(1))
    disk.active.append(DiskFault("disk-full"))
    assert steps(disk, 2) == [(each, "before-commit", sqlite3.OperationalError) for each in (1, 2)]
    disk.clear()
    assert steps(disk, 2) == []
    assert (disk.steps, disk.error_count) == (4, 2)


def test_a_crash_may_be_counted_down() -> None:
    disk = FaultyDisk(Random(1))
    disk.active.append(DiskFault("crash", "after", times=1))
    assert steps(disk, 3) == [(1, "after-commit", DaemonCrashed)]


@pytest.mark.parametrize("wrong", [{"name": "rust"}, {"name": "crash", "when": "later"}])
def test_what_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"rust|later"):
        DiskFault(**wrong)  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    ("true", "said"),
    [
        (b'{"CallSid":"completed1","Status":"completed"}', b'{"CallSid":"completed1","Status":"no-answer"}'),
        (b"Status=failed_dnd&DetailedStatusCode=23005", b"Status=sent&DetailedStatusCode=20005"),
        (b'name="Status"\r\n\r\nbusy\r\n--x', b'name="Status"\r\n\r\ncompleted\r\n--x'),
    ],
)
def test_a_contradiction_changes_the_status_and_nothing_else(true: bytes, said: bytes) -> None:
    assert contradict_report(OutboundWebhook("POST", "http://x", body=true)).body == said
