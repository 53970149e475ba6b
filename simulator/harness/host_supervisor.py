"""Starts, stops and restarts one daemon of a simulation, as a timeline or a supervisor wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from missedd.store.db.database import NotDurable, StoreRefused
from simulator.harness.daemon_host import DaemonHost
from simulator.scenario.value_readers import duration_s

RESTART_DELAY_S = 5.0
"""How long the supervisor waits before it restarts a dead daemon."""

START_ERRORS = (StoreRefused, NotDurable)
"""Errors of a daemon that starts on a failing disk; the supervisor tries again."""


class HostSupervisor:
    """In a *supervised* simulation the daemon is restarted whenever it dies, as systemd would do."""

    def __init__(self, host: DaemonHost, nursery: trio.Nursery) -> None:
        self.host = host
        self._nursery = nursery
        self._is_supervised = False
        self._next_restart_delay_s = RESTART_DELAY_S

    async def supervise(self) -> None:
        """Start the daemon, and restart it whenever it dies."""
        self._is_supervised = True
        self.host.on_exit = self._on_daemon_exit
        await self.start_after(0)

    def _on_daemon_exit(self) -> None:
        down_s, self._next_restart_delay_s = self._next_restart_delay_s, RESTART_DELAY_S
        self._nursery.start_soon(self.start_after, down_s)

    async def control(self, act: str, params: Mapping[str, Any]) -> None:
        """Perform a `daemon` event: `act` is `crash`, `restart`, `stop` or `start`."""
        down_s = duration_s(params.get("down", 0))
        if self._is_supervised and act != "start" and not self.host.is_up:
            return  # the daemon is dead already
        if act in ("stop", "restart"):
            await self.host.stop()
        if act == "crash":
            self._next_restart_delay_s = down_s or RESTART_DELAY_S
            await self.host.crash()
        if act == "start":
            await self.start_after(0)
        elif act == "restart" or ("down" in params and not self._is_supervised):
            self._nursery.start_soon(self.start_after, down_s)

    async def start_after(self, wait_s: float) -> None:
        await trio.sleep(wait_s)
        if self._is_supervised and self.host.is_running:
            return
        try:
            await self.host.start()
        except START_ERRORS:
            if not self._is_supervised:
                raise
