"""The public listener on a Unix socket, for a proxy on the same machine. It needs no port.

Everybody who may write to the socket file can send requests to the daemon. So only the daemon's user and
group may write to the file: put the proxy into that group. The file of a killed daemon is replaced; a socket
on which a process still listens is not.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import trio

MODE = 0o660


def listen_unix(path: Path, *, backlog: int = 1024) -> list[trio.SocketListener]:
    """Bind and listen on `path`; raises OSError if another file or a live socket is there."""
    _remove_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mask = os.umask(0o777 & ~MODE)
        try:
            listening.bind(str(path))
        finally:
            os.umask(mask)
        listening.listen(backlog)
    except BaseException:
        listening.close()
        raise
    return [trio.SocketListener(trio.socket.from_stdlib_socket(listening))]


def has_socket(path: Path) -> bool:
    """Whether there is a socket at `path`; raises OSError if there cannot be one."""
    if not path.parent.is_dir():
        raise OSError(errno.ENOENT, "its folder does not exist")
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return False
    if not is_socket:
        raise OSError(errno.EEXIST, "there is a file that is no socket")
    return True


def _remove_stale(path: Path) -> None:
    """Remove the socket file that a dead daemon left at `path`."""
    if not has_socket(path):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, "somebody answers on it already")
