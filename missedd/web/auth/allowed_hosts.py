"""Host names to which the private site answers, and origins whose pages may make changes.

A browser lets a page read everything from the host that the page came from. An attacker who owns a name can
point the name to this machine after the page was loaded (DNS rebinding). The page could then read everything
that needs no password. So the site answers only to names that it knows.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from missedd.security.host_names import authority_host, is_same_origin, origin_host, parse_ip


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """All names are in the canonical form of `security.host_names`."""

    configured: frozenset[str] = frozenset()
    """`listen.private_hosts`: names that the operator configured, with any port."""
    listen_host: str | None = None
    """The host of `listen.private`, which our own commands use."""

    def allows(self, authority: str | None, local_address: str | None) -> bool:
        """Whether the site answers a request with this Host header. `local_address` is the address that
        received the request.

        A request without the header (HTTP/1.0) does not come from a browser and is allowed.
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
        """Whether a request with this Origin and Host comes from a page of this site."""
        return (authority is not None and is_same_origin(origin, authority)) or (
            origin_host(origin) in self.configured
        )


def _is_own_address(address: IPv4Address | IPv6Address) -> bool:
    """Whether this machine has the address: the system lets us bind only such addresses."""
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
