"""A witness beside the daemon, with a connection of its own: it looks again and again, and compares.

What only shows between two looks is checked here: a final state that changes (P4), a timer that is
on disk and in nobody's memory (P7), two callbacks that wait for one person (P11). The witness reads
raw tables and none of the daemon's readers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import trio
import trio.testing

from missedd.base.clock import to_us
from missedd.core.model import LANE_OF
from missedd.engine.timing.timers import HORIZON_S
from missedd.store.db.inline_driver import InlineConnection, InlineDriver
from simulator.harness.faulty_disk import Disk
from simulator.harness.scenario_run import Stage
from simulator.invariants.promise_results import Tally

LOOKED_FOR = timedelta(seconds=HORIZON_S / 2 - 60)
"""Timers always hold at least half a horizon; a little less allows for the sleep between two looks."""

BETWEEN = timedelta(minutes=15)
"""An action is in nobody's queue while it is claimed or looked up. A look-up waits for its turn in
the budget, its request and the disk: never this long."""

SOON = timedelta(minutes=2)
"""What was held goes on within a transaction, and its disk may be slow."""

type Final = tuple[Any, ...]


class Witness:
    def __init__(self, connection: InlineConnection, disk: Disk, tally: Tally) -> None:
        self._connection = connection
        self._disk = disk
        self._tally = tally
        self._steps_seen = -1
        self._finals: dict[int, Final] = {}
        self._closed: dict[str, Final] = {}
        self._missing: dict[tuple[int, ...], datetime] = {}
        self._stalled: dict[tuple[int, ...], datetime] = {}

    @classmethod
    async def of(cls, path: Path, disk: Disk, tally: Tally) -> Witness:
        driver = InlineDriver(opened=disk.opened)
        return cls(await driver.open(path, read_only=True), disk, tally)

    async def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return await self._connection.read(lambda db: db.fetch_all(sql, params))

    async def is_readable(self) -> bool:
        """Whether there is a schema: a daemon may die before it has made one."""
        return bool(await self.rows("SELECT 1 FROM sqlite_schema WHERE name = 'actions'"))

    async def look(self, stage: Stage) -> None:
        """Compare what is there with what was there, and memory with the disk."""
        if self._steps_seen != self._disk.steps:
            # Through most minutes of a quiet day nothing at all was written since the last look.
            steps = self._disk.steps
            if not await self.is_readable():
                return
            await self._look_at_finals()
            await self._look_at_owed()
            self._steps_seen = steps
        if stage.host.is_up:
            # Nothing moves any more at this instant: what is being done is waiting for something.
            await trio.testing.wait_all_tasks_blocked()
            if stage.host.is_up:
                await self._look_at_timers(stage)
                await self._look_at_stalled(stage)

    async def _look_at_finals(self) -> None:
        seen = {
            row[0]: row[1:]
            for row in await self.rows(
                "SELECT id, outcome, reason, closed_at FROM actions WHERE state = 'done'"
            )
        }
        for action_id, final in self._finals.items():
            now = seen.get(action_id)
            if now != final:
                self._tally.breach(
                    "P4 final", f"action {action_id} was {final} and is {now}", f"action {action_id}"
                )
        self._finals = seen
        closed = {
            row[0]: row[1:]
            for row in await self.rows(
                "SELECT id, status, reason, closed_at, call_id FROM verifications WHERE status != 'pending'"
            )
        }
        for verification_id, final in self._closed.items():
            now = closed.get(verification_id)
            if now != final:
                self._tally.breach("P4 final", f"verification {verification_id} was {final} and is {now}")
        self._closed = closed

    async def _look_at_owed(self) -> None:
        """However a second callback arises, one of the two closes in the transaction that makes it."""
        for number, campaign, ids in await self.rows(
            """SELECT number, campaign, group_concat(id) FROM actions
               WHERE state IN ('planned', 'held') AND kind = 'callback'
               GROUP BY number, campaign HAVING count(*) > 1"""
        ):
            self._tally.breach(
                "P11 owed",
                f"{campaign} owes {number} the callbacks {ids} at one time",
                *(f"action {each}" for each in ids.split(",")),
            )

    async def _look_at_timers(self, stage: Stage) -> None:
        timers = stage.host.engine.timers
        until = to_us(stage.clock.now() + LOOKED_FOR)
        rows = await self.rows(
            "SELECT id, wake_at FROM actions WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY id", until
        )
        due: dict[int, int] = dict(rows)
        pending = timers.pending_ids()
        self._tally.reach("P7 timers", len(due.keys() & pending))
        now, before = stage.true_now(), self._missing
        self._missing = {}
        for action_id, wake_at in due.items():
            if action_id in pending:
                continue
            # A start, or a disk that refuses, explains why it takes longer.
            key = (stage.host.starts, stage.host.disk.refusals, action_id, wake_at)
            since = self._missing[key] = before.get(key, now)
            if now - since > BETWEEN:
                self._tally.breach(
                    "P7 timers",
                    f"action {action_id} is due on disk, and since {since} in nobody's memory",
                    f"action {action_id}",
                )
                self._missing[key] = datetime.max.replace(tzinfo=now.tzinfo)

    async def _look_at_stalled(self, stage: Stage) -> None:
        """What waits for the provider waits no longer than the provider's trouble lasts."""
        held = {kind for kind, lane in LANE_OF.items() if stage.host.engine.upstream.held(lane) is not None}
        now, before = stage.true_now(), self._stalled
        self._stalled = {}
        for action_id, kind in await self.rows(
            """SELECT id, kind FROM actions WHERE state = 'held'
               AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem') ORDER BY id"""
        ):
            self._tally.reach("P6 held")
            if kind in held:
                continue
            key = (stage.host.starts, stage.host.disk.refusals, action_id)
            since = self._stalled[key] = before.get(key, now)
            if now - since > SOON:
                self._tally.breach(
                    "P6 held",
                    f"{kind} {action_id} is still held, though nothing has troubled its lane since {since}",
                    f"action {action_id}",
                )

    async def close(self) -> None:
        await self._connection.close()
