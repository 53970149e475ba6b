"""Could the listeners be bound? What can be said of it without binding a port, by `serve` and `check` alike.

A port that is taken shows only when it is bound, and may be free again by then.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from missedd.base.system_errors import in_words
from missedd.config.loader import OPEN_TO_ALL, Endpoint, Listen, UnixSocket
from missedd.web.public.unix_socket import check_socket

MADE_AT_START: Final = Path("/run")
"""Below it folders come and go with what runs: systemd's RuntimeDirectory makes ours at each start."""


class CannotListen(Exception):
    """An address is taken or not ours; the text says which and what to do."""


def cannot_listen(on: Endpoint | UnixSocket, key: str, failure: OSError) -> CannotListen:
    """In the words of the system, with the key that says where to listen."""
    return CannotListen(f"cannot listen on {on} ({key}): {in_words(failure)}")


def check_private(bound: Endpoint, *, has_password: bool) -> None:
    """Raise `CannotListen` where the private listener would be open to everybody; `bound` is an address."""
    if bound.is_public and not has_password:
        raise CannotListen(f"listen.private: {bound} {OPEN_TO_ALL}")


def address_problems(listen: Listen, *, has_password: bool) -> Iterator[str]:
    """What keeps the listeners from being bound where the configuration has them."""
    for key, on in (("listen.public", listen.public), ("listen.private", listen.private)):
        try:
            if isinstance(on, UnixSocket):
                if not on.path.is_relative_to(MADE_AT_START) or on.path.parent.exists():
                    check_socket(on.path)
                continue
            for address in _addresses(on):
                if key == "listen.private":
                    check_private(address, has_password=has_password)
        except OSError as failure:
            yield str(cannot_listen(on, key, failure))
        except CannotListen as failure:
            yield str(failure)


def _addresses(endpoint: Endpoint) -> list[Endpoint]:
    found = socket.getaddrinfo(endpoint.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [Endpoint(str(name[0]), endpoint.port) for *_, name in found]
