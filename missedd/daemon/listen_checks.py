"""Checks of the listen addresses that need no open port, for `serve` and `check` alike.

Example: `listen.private = 0.0.0.0:8081` without a password. A port in use is noticed only when it is bound.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from missedd.base.system_errors import describe_error
from missedd.config.loader import UNPROTECTED_ADVICE, ListenAddress, ListenSettings, UnixSocket
from missedd.web.public.unix_socket import has_socket

RUNTIME_FOLDER: Final = Path("/run")
"""Folders below it exist only while their service runs: systemd's RuntimeDirectory makes ours at a start."""


class CannotListen(Exception):
    """An address is in use or not on this machine. The text names the address and the remedy."""


def listen_failure(address: ListenAddress | UnixSocket, key: str, failure: OSError) -> CannotListen:
    """The operating system's error with the address and its configuration key."""
    return CannotListen(f"cannot listen on {address} ({key}): {describe_error(failure)}")


def check_private_address(bound: ListenAddress, *, has_password: bool) -> None:
    """Raise `CannotListen` if `bound`, the private listener's IP address, is public and has no password."""
    if bound.is_public and not has_password:
        raise CannotListen(f"listen.private: {bound} {UNPROTECTED_ADVICE}")


def address_problems(listen: ListenSettings, *, has_password: bool) -> Iterator[str]:
    """The problems of the configured listen addresses, each as one sentence."""
    for key, on in (("listen.public", listen.public), ("listen.private", listen.private)):
        try:
            if isinstance(on, UnixSocket):
                if not on.path.is_relative_to(RUNTIME_FOLDER) or on.path.parent.exists():
                    has_socket(on.path)
                continue
            for address in _resolve(on):
                if key == "listen.private":
                    check_private_address(address, has_password=has_password)
        except OSError as failure:
            yield str(listen_failure(on, key, failure))
        except CannotListen as failure:
            yield str(failure)


def _resolve(endpoint: ListenAddress) -> list[ListenAddress]:
    addresses = socket.getaddrinfo(endpoint.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [ListenAddress(str(name[0]), endpoint.port) for *_, name in addresses]
