"""By which names the private site may be called, and whose pages may change something there.

A browser lets a page do as it likes with the host that the page came from. Whoever owns a name can let it
lead to this machine once the page is loaded (DNS rebinding): then their page reads here whatever is shown
without a password. So only names that are known are answered.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from missedd.security.host_names import authority_host, is_same_origin, origin_host, parse_ip


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """All names canonical, as `core.host_names` has it."""

    configured: frozenset[str] = frozenset()
    """`listen.private_hosts`: names of the operator's own, whichever port they are used with."""
    listen_host: str | None = None
    """The host of `listen.private`, which our own commands ask."""

    def allows(self, authority: str | None, local_address: str | None) -> bool:
        """Whether a request with this Host header is for us; `local_address` is the address at which it came
        in.

        Without the header (HTTP/1.0) it is no browser's.
        """
        if authority is None:
            return True
        host = authority_host(authority)
        if host is None:
            return False
        if host in self.configured or host in ("localhost", self.listen_host):
            return True
        address = parse_ip(host)
        return address is not None and (address == parse_ip(local_address or "") or _is_own_address(address))

    def is_own_page(self, origin: str, authority: str | None) -> bool:
        """Whether a page of ours sent a request with this Origin and Host."""
        return (authority is not None and is_same_origin(origin, authority)) or (
            origin_host(origin) in self.configured
        )


def _is_own_address(address: IPv4Address | IPv6Address) -> bool:
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
