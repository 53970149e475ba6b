"""Reports the daemon's state to systemd: `sd_notify` over $NOTIFY_SOCKET, without its library.

Nothing here may delay or end the daemon. Without the variable every call does nothing, and a supervisor
that does not read is not waited for.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def ready(environ: Mapping[str, str] = os.environ) -> None:
    """Report that the start is finished. With `Type=notify`, dependent units wait for this."""
    _send("READY=1", environ)


def status(text: str, environ: Mapping[str, str] = os.environ) -> None:
    """Set the line that `systemctl status` shows."""
    _send("STATUS=" + " ".join(text.split()), environ)


def stopping(environ: Mapping[str, str] = os.environ) -> None:
    _send("STOPPING=1", environ)


def extend_start_timeout(seconds: float, environ: Mapping[str, str] = os.environ) -> None:
    """Ask for `seconds` more, from now, until the start is finished. Call it again before they are over."""
    _send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}", environ)


def watchdog(environ: Mapping[str, str] = os.environ) -> None:
    """Report that the daemon is alive. Call it from the loop whose hang a restart should end."""
    _send("WATCHDOG=1", environ)


def watchdog_interval_s(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> float | None:
    """Seconds between calls of `watchdog`: half of systemd's limit. None if systemd does not watch us."""
    try:
        limit_us = int(environ.get("WATCHDOG_USEC", ""))
        watched = int(environ.get("WATCHDOG_PID", "") or -1)
    except ValueError:
        return None
    # A child process inherits the variables, but systemd does not watch it.
    if limit_us <= 0 or watched not in (-1, os.getpid() if pid is None else pid):
        return None
    return limit_us / 2 / 1_000_000


def _send(message: str, environ: Mapping[str, str]) -> None:
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # Linux's abstract namespace: the name begins with a zero byte
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifying:
            notifying.setblocking(False)
            notifying.sendto(message.encode(), address)
    except OSError:
        # The socket is full or gone. If systemd then misses us, its watchdog acts.
        pass
