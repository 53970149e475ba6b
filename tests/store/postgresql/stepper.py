"""Interleaves the statements of several nodes on one real database, in an order drawn from a seed.

Each node runs its units of work on a connection of its own, and waits for its turn before each statement. The
stepper lets one node go on at a time. If the database makes that node wait for a lock, the node is parked,
and the others go on until the lock is free. So a race that needs one unlucky instant in a million happens in
one run of a few hundred.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from random import Random
from typing import Final

import psycopg
import trio

POLL_S: Final = 0.0005
"""How often the stepper looks whether a running statement has ended or waits for a lock."""


class NodeState(StrEnum):
    READY = "ready"
    RUNNING = "running"
    PARKED = "parked"
    DONE = "done"


class Turns:
    """One node's place in the order; the node calls `next` before each statement."""

    def __init__(self, backend_pid: int) -> None:
        self.backend_pid = backend_pid
        self.state = NodeState.RUNNING
        self.statements = 0
        self._may_go = trio.Event()

    async def next(self) -> None:
        self._may_go = trio.Event()
        self.state = NodeState.READY
        await self._may_go.wait()

    def go(self) -> None:
        self.statements += 1
        self.state = NodeState.RUNNING
        self._may_go.set()


type Script = Callable[[Turns], Awaitable[None]]


class Stepper:
    """Runs scripts of nodes together; `parked` counts how often a node had to wait for a lock."""

    def __init__(self, rng: Random, monitor: psycopg.Connection) -> None:
        """`monitor` is a connection in autocommit that nobody else uses."""
        self._rng = rng
        self._monitor = monitor
        self.parked = 0

    async def run(self, scripts: Mapping[int, Script]) -> None:
        """Run each script to its end; keyed by the process id of its connection's backend."""
        turns = {pid: Turns(pid) for pid in scripts}
        async with trio.open_nursery() as nursery:
            for pid, script in scripts.items():
                nursery.start_soon(self._play, script, turns[pid])
            while any(node.state is not NodeState.DONE for node in turns.values()):
                await self._settle(turns)
                ready = [node for node in turns.values() if node.state is NodeState.READY]
                if ready:
                    self._rng.choice(ready).go()

    async def _play(self, script: Script, turns: Turns) -> None:
        await turns.next()
        await script(turns)
        turns.state = NodeState.DONE

    async def _settle(self, turns: Mapping[int, Turns]) -> None:
        """Return when every node waits for its turn or for a lock of another node, or is done."""
        while True:
            going = [node for node in turns.values() if node.state in (NodeState.RUNNING, NodeState.PARKED)]
            if not going:
                return
            blocked = self._blocked([node.backend_pid for node in going])
            for node in going:
                if node.state is NodeState.RUNNING and node.backend_pid in blocked:
                    node.state = NodeState.PARKED
                    self.parked += 1
            moving = [node for node in going if node.backend_pid not in blocked]
            others_ready = any(node.state is NodeState.READY for node in turns.values())
            if not moving and others_ready:
                return
            await trio.sleep(POLL_S)

    def _blocked(self, pids: list[int]) -> set[int]:
        rows = self._monitor.execute(
            "SELECT pid FROM unnest(%s::int[]) pid WHERE cardinality(pg_blocking_pids(pid)) > 0", (pids,)
        )
        return {pid for (pid,) in rows}
