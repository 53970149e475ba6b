"""Observes the daemon's database during a run, through its own connection.

The observer checks what only shows during the run: a final state that changes (P4), a timer that is on
disk but not in memory (P7), two callbacks that wait for one person (P11). The observer reads raw tables
and uses none of the daemon's read functions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import trio
import trio.testing

from missedd.base.clock import to_us
from missedd.core.model import LANE_BY_KIND
from missedd.engine.leader.leader import Leader
from missedd.engine.timing.timers import HORIZON_S
from missedd.store.sqlite.inline_driver import InlineConnection, InlineDriver
from simulator.harness.daemon_cluster import DaemonCluster
from simulator.harness.scenario_run import Simulation
from simulator.invariants.promise_results import PromiseResults

TIMERS_LOADED_AHEAD = timedelta(seconds=HORIZON_S / 2 - 60)
"""Timers always hold at least half a horizon; one minute less allows for the sleep between two checks."""

MAX_UNTRACKED_TIME = timedelta(minutes=15)
"""An action is in no queue while it is claimed or looked up. A lookup waits for its turn in the budget,
its request and the disk: never this long."""

MAX_HELD_AFTER_OUTAGE = timedelta(minutes=2)
"""A held action continues within one transaction after the outage; the disk may be slow."""

type FinalRow = tuple[Any, ...]


class StoreObserver:
    def __init__(self, connection: InlineConnection, daemons: DaemonCluster, results: PromiseResults) -> None:
        self._connection = connection
        self._daemons = daemons
        self._results = results
        self._steps_seen = -1
        self._final_actions: dict[int, FinalRow] = {}
        self._closed_verifications: dict[str, FinalRow] = {}
        self._untracked_since: dict[tuple[int, ...], datetime] = {}
        self._held_since: dict[tuple[int, ...], datetime] = {}

    @classmethod
    async def open(cls, path: Path, daemons: DaemonCluster, results: PromiseResults) -> StoreObserver:
        driver = InlineDriver(opened=daemons.hosts[0].disk.connections)
        return cls(await driver.open(path, read_only=True), daemons, results)

    async def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return await self._connection.read(lambda db: db.fetch_all(sql, params))

    async def is_readable(self) -> bool:
        """Whether the schema exists: a daemon may die before it has created the schema."""
        return bool(await self.rows("SELECT 1 FROM sqlite_schema WHERE name = 'actions'"))

    async def observe(self, simulation: Simulation) -> None:
        """Compare the tables with the last check, and the daemon's memory with the disk."""
        if self._steps_seen != self._daemons.step_count:
            # In most minutes of a quiet day nothing was written since the last check.
            steps = self._daemons.step_count
            if not await self.is_readable():
                return
            await self._check_final_states()
            await self._check_owed_callbacks()
            self._steps_seen = steps
        if simulation.daemons.is_up:
            # At this instant all tasks wait, so the daemon is in no intermediate state.
            await trio.testing.wait_all_tasks_blocked()
            if simulation.daemons.is_up:
                await self._check_timers(simulation)
                await self._check_held_actions(simulation)

    async def _check_final_states(self) -> None:
        seen = {
            row[0]: row[1:]
            for row in await self.rows(
                "SELECT id, outcome, reason, closed_at FROM actions WHERE state = 'done'"
            )
        }
        for action_id, final in self._final_actions.items():
            now = seen.get(action_id)
            if now != final:
                self._results.add_violation(
                    "P4 final", f"action {action_id} was {final} and is {now}", f"action {action_id}"
                )
        self._final_actions = seen
        closed = {
            row[0]: row[1:]
            for row in await self.rows(
                "SELECT id, status, reason, closed_at, call_id FROM verifications WHERE status != 'pending'"
            )
        }
        for verification_id, final in self._closed_verifications.items():
            now = closed.get(verification_id)
            if now != final:
                self._results.add_violation(
                    "P4 final", f"verification {verification_id} was {final} and is {now}"
                )
        self._closed_verifications = closed

    async def _check_owed_callbacks(self) -> None:
        """When a second callback for a person is created, the same transaction closes one of the two."""
        for number, campaign, ids in await self.rows(
            """SELECT number, campaign, group_concat(id) FROM actions
               WHERE state IN ('planned', 'held') AND kind = 'callback'
               GROUP BY number, campaign HAVING count(*) > 1"""
        ):
            self._results.add_violation(
                "P11 owed",
                f"{campaign} owes {number} the callbacks {ids} at one time",
                *(f"action {each}" for each in ids.split(",")),
            )

    async def _check_timers(self, simulation: Simulation) -> None:
        timers = _leader(simulation).timers
        until = to_us(simulation.clock.now() + TIMERS_LOADED_AHEAD)
        rows = await self.rows(
            "SELECT id, wake_at FROM actions WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY id", until
        )
        due: dict[int, int] = dict(rows)
        pending = timers.pending_ids()
        self._results.count_occasions("P7 timers", len(due.keys() & pending))
        now, before = simulation.true_now(), self._untracked_since
        self._untracked_since = {}
        for action_id, wake_at in due.items():
            if action_id in pending:
                continue
            # A start or a disk error explains a longer time, so each begins a new period.
            key = (simulation.daemons.start_count, simulation.daemons.storage_errors, action_id, wake_at)
            since = self._untracked_since[key] = before.get(key, now)
            if now - since > MAX_UNTRACKED_TIME:
                self._results.add_violation(
                    "P7 timers",
                    f"action {action_id} is due on disk, and since {since} in nobody's memory",
                    f"action {action_id}",
                )
                self._untracked_since[key] = datetime.max.replace(tzinfo=now.tzinfo)

    async def _check_held_actions(self, simulation: Simulation) -> None:
        """An action held for the provider waits no longer than the provider's outage lasts."""
        held = {
            kind
            for kind, lane in LANE_BY_KIND.items()
            if _leader(simulation).breakers.hold_reason(lane) is not None
        }
        now, before = simulation.true_now(), self._held_since
        self._held_since = {}
        for action_id, kind in await self.rows(
            """SELECT id, kind FROM actions WHERE state = 'held'
               AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem') ORDER BY id"""
        ):
            self._results.count_occasions("P6 held")
            if kind in held:
                continue
            key = (simulation.daemons.start_count, simulation.daemons.storage_errors, action_id)
            since = self._held_since[key] = before.get(key, now)
            if now - since > MAX_HELD_AFTER_OUTAGE:
                self._results.add_violation(
                    "P6 held",
                    f"{kind} {action_id} is still held, though nothing has troubled its lane since {since}",
                    f"action {action_id}",
                )

    async def close(self) -> None:
        await self._connection.close()


def _leader(simulation: Simulation) -> Leader:
    leader = simulation.daemons.hosts[0].engine.leader
    if leader is None:
        raise AssertionError("a node that has its database alone leads")
    return leader
