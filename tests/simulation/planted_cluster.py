"""Mistakes about several daemons, each a small patch, and the scenario in which a promise must break by it.

Virtual time runs one transaction after the other. So a mistake that needs two at the same instant is planted
in the tests that interleave statements: nobody locks anything, marks by the largest id, tallies in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest

from missedd.base.clock import to_us
from missedd.core.cluster.lease import Lease
from missedd.engine.leadership.term import Term
from missedd.engine.timing.shared_timers import SharedTimers
from missedd.store.db.database import Database
from missedd.store.postgresql.writing import WritingDatabase
from tests.simulation.planted import Plant


@dataclass(frozen=True, slots=True)
class ClusterMistake:
    """`breaks` begins the name of the promise that breaks in `scenario`, or is `expectation`."""

    plant: Plant
    scenario: str
    breaks: str

    @property
    def name(self) -> str:
        return self.plant.__name__


def forget_the_epoch(patch: pytest.MonkeyPatch) -> None:
    """Whoever was elected once believes in it, and no write is checked."""

    async def anybody(db: Database, *, epoch: int, node: int) -> None: ...

    patch.setattr(Lease, "is_trusted", lambda self, now_s: True)
    patch.setattr(Term, "why_not_send", lambda self, asked_at_s: None)
    patch.setattr("missedd.engine.cluster.cluster_leadership.check_leads", anybody)


def send_what_was_claimed_long_ago(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Term, "why_not_send", lambda self, asked_at_s: None)


def redial_what_the_last_leader_left(patch: pytest.MonkeyPatch) -> None:
    async def rescue(db: Database, now: datetime) -> int:
        await db.execute(
            """UPDATE actions SET state = 'planned', wake_at = ?, due_at = ?
               WHERE state = 'attempting' AND wake_at IS NULL""",
            (to_us(now), to_us(now)),
        )
        return 0

    patch.setattr("missedd.engine.leader.recovery.recover_in_flight", rescue)


def believe_that_a_lost_commit_went_through(patch: pytest.MonkeyPatch) -> None:
    """What `pg_xact_status` says after a failover of some transactions that are lost."""

    async def believe(self: WritingDatabase) -> bool:
        self.discard()
        return True

    patch.setattr(WritingDatabase, "_was_committed", believe)


def begin_each_term_with_a_full_budget(patch: pytest.MonkeyPatch) -> None:
    async def nothing(db: Database, **_: object) -> list[datetime]:
        return []

    async def no_calls(db: Database) -> bool:
        return False

    patch.setattr("missedd.engine.leader.recovery.recent_attempt_times", nothing)
    patch.setattr("missedd.engine.leader.recovery.has_calls", no_calls)


def wait_a_minute_for_a_dead_leader(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("missedd.core.cluster.lease.LEASE_S", 60.0)


def hear_of_timers_by_news_only(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: SharedTimers, after_us: int) -> None:
        self._read_until_us = self._loaded_until_us = 2**62

    patch.setattr(SharedTimers, "_read", nothing)


CLUSTER_MISTAKES = (
    ClusterMistake(forget_the_epoch, "leader-stands-still", "P12 one sender"),
    ClusterMistake(send_what_was_claimed_long_ago, "leader-stands-still", "P12 one sender"),
    ClusterMistake(redial_what_the_last_leader_left, "leader-dies", "P2 once"),
    ClusterMistake(believe_that_a_lost_commit_went_through, "database-loses-answers", "P1 kept"),
    ClusterMistake(begin_each_term_with_a_full_budget, "budget-after-takeover", "P3 budget"),
    ClusterMistake(wait_a_minute_for_a_dead_leader, "leader-dies", "P12 vacancy"),
    ClusterMistake(hear_of_timers_by_news_only, "news-are-cut", "expectation"),
)
