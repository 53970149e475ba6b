"""A Debian tree that boots its own systemd in a container of systemd-nspawn, with a network of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

BOOTS_WITHIN_S = 120.0


class DidNotBoot(Exception):
    """The container did not come up here; the text is the end of what it wrote."""


class Machine:
    """The machine in `tree`. After `boot` this process is in its network: 127.0.0.1 is the machine's."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self._console = tree.parent / "console.log"
        self._outside = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._running: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self) -> None:
        """Raises DidNotBoot."""
        container = ["systemd-nspawn", "-q", "-D", str(self.tree), "--boot", "--keep-unit", "--register=no"]
        container += ["--private-network", "--machine=missedd-boot"]
        # It wants a terminal, and the unified hierarchy where the host has both kinds of control groups.
        self._running = subprocess.Popen(
            ["script", "-qfec", shlex.join(container), str(self._console)],
            env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        began = time.monotonic()
        while (state := self._state()) not in ("running", "degraded"):
            if self._running.poll() is not None or time.monotonic() - began > BOOTS_WITHIN_S:
                end = self._console.read_text("utf-8", "replace")[-1_000:]
                self.power_off()
                raise DidNotBoot(f"it is {state or 'not up'}: {end}")
            time.sleep(0.2)
        network = os.open(f"/proc/{self._leader}/ns/net", os.O_RDONLY)
        os.setns(network, os.CLONE_NEWNET)
        os.close(network)

    def run(self, *command: str, check: bool = True) -> str:
        """What a command in the machine writes. Raises RuntimeError where it fails, unless told not to."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "--", *command]
        told = subprocess.run(inside, check=False, capture_output=True, text=True, timeout=120)
        if check and told.returncode:
            raise RuntimeError(f"{shlex.join(command)}: {told.returncode}: {told.stdout}{told.stderr}")
        return told.stdout.strip()

    def shown(self, unit: str, what: str) -> str:
        """A property of a unit, as `systemctl show` has it."""
        return self.run("systemctl", "show", "--value", "-p", what, unit)

    def path(self, inside: str) -> Path:
        """A path of the running machine, as this process reaches it: /run is not in the tree."""
        return Path(f"/proc/{self._leader}/root{inside}")

    def reboot(self) -> None:
        self.power_off("reboot")
        self.boot()

    def power_off(self, verb: str = "poweroff") -> None:
        """Let it shut down in order; one that does not is killed."""
        os.setns(self._outside, os.CLONE_NEWNET)
        if self._running is None:
            return
        if self._leader:
            self.run("systemctl", verb, check=False)
        try:
            self._running.wait(60)
        except subprocess.TimeoutExpired:
            for pid in reversed([self._running.pid, *_descendants(self._running.pid)]):
                os.kill(pid, 9)
            self._running.wait()
        self._running, self._leader = None, 0

    def _state(self) -> str:
        if not self._leader and self._running is not None:
            family = [self._running.pid, *_descendants(self._running.pid)]
            # The container's first process is systemd, and so is its name; everything else hangs from it.
            self._leader = next((pid for pid in family if _name(pid) == "systemd"), 0)
        return self.run("systemctl", "is-system-running", check=False) if self._leader else ""


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:  # it is gone meanwhile
        return
    for child in map(int, children):
        yield child
        yield from _descendants(child)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
    except OSError:
        return ""
