"""By which names the private site may be called, and whose pages may change something there.

A browser lets a page do as it likes with the host that the page came from. Whoever owns a name can let it
lead to this machine once the page is loaded (DNS rebinding): then their page reads here whatever is shown
without a password. So only names that are known are answered.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from missedd.security.host_names import address_of, host_of, is_same_place, origin_host


@dataclass(frozen=True, slots=True)
class Hosts:
    """All names canonical, as `core.host_names` has it."""

    named: frozenset[str] = frozenset()
    """`listen.private_hosts`: names of the operator's own, whichever port they are used with."""
    bound: str | None = None
    """The host of `listen.private`, which our own commands ask."""

    def know(self, authority: str | None, reached: str | None) -> bool:
        """Whether a request with this Host header is for us; `reached` is the address at which it came in.

        Without the header (HTTP/1.0) it is no browser's.
        """
        if authority is None:
            return True
        host = host_of(authority)
        if host is None:
            return False
        if host in self.named or host in ("localhost", self.bound):
            return True
        address = address_of(host)
        return address is not None and (address == address_of(reached or "") or _is_here(address))

    def sent(self, origin: str, authority: str | None) -> bool:
        """Whether a page of ours sent a request with this Origin and Host."""
        return (authority is not None and is_same_place(origin, authority)) or (
            origin_host(origin) in self.named
        )


def _is_here(address: IPv4Address | IPv6Address) -> bool:
    """Whether this machine has the address: then, and only then, the system lets us bind it."""
    if address.is_loopback:
        return True
    if address.is_unspecified or address.is_multicast:
        return False
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
