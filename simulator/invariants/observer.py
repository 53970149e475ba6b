"""Observes the daemon's database during a run, through its own connection.

The observer checks what only shows during the run: a final state that changes (P4), a timer that is on
disk but not in memory (P7), two callbacks that wait for one person (P11). The observer reads raw tables
and uses none of the daemon's read functions.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import trio
import trio.testing

from missedd.base.clock import to_us
from missedd.core.model import LANE_BY_KIND
from missedd.engine.leader.leader import Leader
from missedd.engine.timing.timers import HORIZON_S
from simulator.harness.daemon_cluster import DaemonCluster
from simulator.harness.daemon_host import DaemonHost
from simulator.harness.scenario_run import Simulation
from simulator.invariants.promise_results import PromiseResults
from simulator.invariants.raw_reader import RawReader

TIMERS_LOADED_AHEAD = timedelta(seconds=HORIZON_S / 2 - 60)
"""Timers always hold at least half a horizon; one minute less allows for the sleep between two checks."""

MAX_UNTRACKED_TIME = timedelta(minutes=15)
"""An action is in no queue while it is claimed or looked up. A lookup waits for its turn in the budget,
its request and the disk: never this long."""

MAX_HELD_AFTER_OUTAGE = timedelta(minutes=2)
"""A held action continues within one transaction after the outage; the disk may be slow."""

type FinalRow = tuple[Any, ...]


class StoreObserver:
    def __init__(self, reader: RawReader, daemons: DaemonCluster, results: PromiseResults) -> None:
        self._reader = reader
        self._daemons = daemons
        self._results = results
        self._steps_seen = -1
        self._final_actions: dict[int, FinalRow] = {}
        self._closed_verifications: dict[str, FinalRow] = {}
        self._untracked_since: dict[tuple[int | None, ...], datetime] = {}
        self._held_since: dict[tuple[int | None, ...], datetime] = {}

    async def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return await self._reader.rows(sql, params)

    async def is_readable(self) -> bool:
        """Whether the schema exists: a daemon may die before it has created the schema."""
        return await self._reader.has_schema()

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
            host = simulation.daemons.leading_host
            if host is not None and (leader := host.engine.leader) is not None:
                await self._check_timers(simulation, host, leader)
                await self._check_held_actions(simulation, leader)

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
        owed: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, campaign, action_id in await self.rows(
            """SELECT number, campaign, id FROM actions
               WHERE state IN ('planned', 'held') AND kind = 'callback' ORDER BY id"""
        ):
            owed[number, campaign].append(action_id)
        for (number, campaign), ids in owed.items():
            if len(ids) > 1:
                self._results.add_violation(
                    "P11 owed",
                    f"{campaign} owes {number} the callbacks {ids} at one time",
                    *(f"action {each}" for each in ids),
                )

    async def _check_timers(self, simulation: Simulation, host: DaemonHost, leader: Leader) -> None:
        # News of timers that another node has set may get lost; then the leader reads them when they are due.
        ahead = TIMERS_LOADED_AHEAD if host.node is None else timedelta(0)
        until = to_us(host.clock.now() + ahead)
        rows = await self.rows(
            "SELECT id, wake_at FROM actions WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY id", until
        )
        due: dict[int, int] = dict(rows)
        pending = leader.timers.pending_ids()
        self._results.count_occasions("P7 timers", len(due.keys() & pending))
        now, before = simulation.true_now(), self._untracked_since
        self._untracked_since = {}
        for action_id, wake_at in due.items():
            if action_id in pending:
                continue
            # A start, a term or a disk error explains a longer time, so each begins a new period.
            key = (*simulation.daemons.disturbances, action_id, wake_at)
            since = self._untracked_since[key] = before.get(key, now)
            if now - since > MAX_UNTRACKED_TIME:
                self._results.add_violation(
                    "P7 timers",
                    f"action {action_id} is due on disk, and since {since} in nobody's memory",
                    f"action {action_id}",
                )
                self._untracked_since[key] = datetime.max.replace(tzinfo=now.tzinfo)

    async def _check_held_actions(self, simulation: Simulation, leader: Leader) -> None:
        """An action held for the provider waits no longer than the provider's outage lasts."""
        held = {kind for kind, lane in LANE_BY_KIND.items() if leader.breakers.hold_reason(lane) is not None}
        now, before = simulation.true_now(), self._held_since
        self._held_since = {}
        for action_id, kind in await self.rows(
            """SELECT id, kind FROM actions WHERE state = 'held'
               AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem') ORDER BY id"""
        ):
            self._results.count_occasions("P6 held")
            if kind in held:
                continue
            key = (*simulation.daemons.disturbances, action_id)
            since = self._held_since[key] = before.get(key, now)
            if now - since > MAX_HELD_AFTER_OUTAGE:
                self._results.add_violation(
                    "P6 held",
                    f"{kind} {action_id} is still held, though nothing has troubled its lane since {since}",
                    f"action {action_id}",
                )

    async def close(self) -> None:
        await self._reader.close()
