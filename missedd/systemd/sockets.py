"""Sockets that systemd opened for us: the protocol of `sd_listen_fds`, without its library.

Such a socket outlives the daemon. It queues the connections that arrive during a restart, so a restart
refuses none. https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final

from missedd.base.system_errors import describe_error

FIRST_FD: Final = 3
"""Inherited sockets follow stdin, stdout and stderr without a gap."""

PUBLIC, PRIVATE = "public", "private"


class InvalidInheritedSocket(Exception):
    """systemd passed a descriptor that is not a listening socket for us. The text says what to change."""


def inherited_sockets(
    environ: Mapping[str, str] = os.environ, pid: int | None = None, first_fd: int = FIRST_FD
) -> dict[str, list[socket.socket]]:
    """The listening sockets meant for this process, by name (`public`, `private`); empty if there are none.

    Call it once: each call returns new socket objects for the same descriptors, and closing one closes the
    descriptor. Raises `InvalidInheritedSocket` for an unknown name, or for a descriptor that is not a
    listening stream socket.
    """
    try:
        meant_for, count = int(environ.get("LISTEN_PID", "")), int(environ.get("LISTEN_FDS", ""))
    except ValueError:
        return {}
    # A child process inherits the variables, but not the descriptors.
    if meant_for != (os.getpid() if pid is None else pid) or count < 1:
        return {}
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += [""] * (count - len(names))
    by_name: dict[str, list[socket.socket]] = {}
    try:
        for descriptor, name in zip(range(first_fd, first_fd + count), names, strict=False):
            if name not in (PUBLIC, PRIVATE):
                raise InvalidInheritedSocket(
                    f"systemd passed a socket named {name!r}; "
                    f"give each one FileDescriptorName={PUBLIC} or {PRIVATE}, as missedd.socket does"
                )
            by_name.setdefault(name, []).append(_checked_listening_socket(descriptor, name))
        if len(by_name.get(PRIVATE, ())) > 1:
            raise InvalidInheritedSocket("systemd passed more than one private socket; one address is enough")
    except InvalidInheritedSocket:
        for listener in (each for held in by_name.values() for each in held):
            listener.close()
        raise
    return by_name


def _checked_listening_socket(descriptor: int, name: str) -> socket.socket:
    try:
        passed = socket.socket(fileno=descriptor)
    except OSError as failure:
        raise InvalidInheritedSocket(
            f"what systemd passed as the {name} socket is none: {describe_error(failure)}"
        ) from failure
    passed.set_inheritable(False)
    families = {socket.AF_INET, socket.AF_INET6} | ({socket.AF_UNIX} if name == PUBLIC else set())
    if passed.family not in families or not passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        passed.close()
        raise InvalidInheritedSocket(
            f"the {name} socket that systemd passed is not one to accept on; it takes ListenStream=HOST:PORT"
        )
    return passed
