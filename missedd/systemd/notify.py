"""Tells systemd how the daemon fares: `sd_notify` over $NOTIFY_SOCKET, without its library.

Nothing here may hold up or end the daemon: without the variable every call does nothing, and a
supervisor that does not listen is not waited for.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def ready(environ: Mapping[str, str] = os.environ) -> None:
    """Start-up is finished; `Type=notify` holds dependent units until now."""
    _send("READY=1", environ)


def status(text: str, environ: Mapping[str, str] = os.environ) -> None:
    """A line about what it does, for `systemctl status`."""
    _send("STATUS=" + " ".join(text.split()), environ)


def stopping(environ: Mapping[str, str] = os.environ) -> None:
    _send("STOPPING=1", environ)


def extend_start_timeout(seconds: float, environ: Mapping[str, str] = os.environ) -> None:
    """Ask for so much more time from now on until it is ready; to be said again before it is over."""
    _send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}", environ)


def watchdog(environ: Mapping[str, str] = os.environ) -> None:
    """Still alive. Call it from the loop whose standstill a restart should cure."""
    _send("WATCHDOG=1", environ)


def watchdog_interval_s(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> float | None:
    """How often `watchdog` is due: half of what systemd waits; None if it does not watch this program."""
    try:
        limit_us = int(environ.get("WATCHDOG_USEC", ""))
        watched = int(environ.get("WATCHDOG_PID", "") or -1)
    except ValueError:
        return None
    # A child inherits the variables, but it is not the one that is watched.
    if limit_us <= 0 or watched not in (-1, os.getpid() if pid is None else pid):
        return None
    return limit_us / 2 / 1_000_000


def _send(message: str, environ: Mapping[str, str]) -> None:
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # Linux's abstract namespace, spelt with a zero byte
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifying:
            notifying.setblocking(False)
            notifying.sendto(message.encode(), address)
    except OSError:
        # Full or gone. The watchdog is there for what comes of it.
        pass
