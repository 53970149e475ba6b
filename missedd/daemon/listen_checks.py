"""Could the listeners be bound? What can be said of it without binding a port, by `serve` and `check` alike.

A port that is taken shows only when it is bound, and may be free again by then.
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
"""Below it folders come and go with what runs: systemd's RuntimeDirectory makes ours at each start."""


class CannotListen(Exception):
    """An address is taken or not ours; the text says which and what to do."""


def listen_failure(address: ListenAddress | UnixSocket, key: str, failure: OSError) -> CannotListen:
    """In the words of the system, with the key that says where to listen."""
    return CannotListen(f"cannot listen on {address} ({key}): {describe_error(failure)}")


def check_private_address(bound: ListenAddress, *, has_password: bool) -> None:
    """Raise `CannotListen` where the private listener would be open to everybody; `bound` is an address."""
    if bound.is_public and not has_password:
        raise CannotListen(f"listen.private: {bound} {UNPROTECTED_ADVICE}")


def address_problems(listen: ListenSettings, *, has_password: bool) -> Iterator[str]:
    """What keeps the listeners from being bound where the configuration has them."""
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
    found = socket.getaddrinfo(endpoint.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [ListenAddress(str(name[0]), endpoint.port) for *_, name in found]
