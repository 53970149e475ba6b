"""Host names as browsers send them: in a Host header, and in the Origin of a page.

`Missedd.Example.In.:8081` is the host `missedd.example.in`. An address is written as in RFC 5952; an IPv4
address in IPv6 form becomes the IPv4 address.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_AUTHORITY: Final = re.compile(r"(?:\[([0-9A-Fa-f]*:[0-9A-Fa-f:.]*)\]|([A-Za-z0-9._-]+))(?::(\d{0,5}))?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def canonical_host(host: str) -> str | None:
    """A name or an address without port and brackets, in the form for comparisons; None for anything else."""
    if (address := parse_ip(host)) is not None:
        return str(address)
    name = host.lower().removesuffix(".")
    labels = name.split(".")
    is_name = len(name) <= 253 and all(re.fullmatch(r"[a-z0-9_-]{1,63}", label) for label in labels)
    # A browser takes a name that ends in a number for an address, and this one is not a valid address.
    return name if is_name and not labels[-1].isdigit() else None


def parse_ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def authority_host(authority: str) -> str | None:
    """The canonical host of `HOST:PORT` or `HOST`; None if there is none."""
    match = _AUTHORITY.fullmatch(authority)
    return canonical_host(match[1] or match[2]) if match else None


def is_same_origin(origin: str, authority: str) -> bool:
    """Whether a page of `origin` came from the host and port of `authority`, the value of a Host header.

    A missing port is the default port of the origin's scheme, because a proxy may have removed the TLS.
    """
    scheme, _, place = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme.lower())
    page, requested = _AUTHORITY.fullmatch(place), _AUTHORITY.fullmatch(authority)
    if default is None or page is None or requested is None:
        return False
    host = authority_host(place)
    return (
        host is not None
        and host == authority_host(authority)
        and _port(page, default) == _port(requested, default)
    )


def origin_host(origin: str) -> str | None:
    """The canonical host of a page's origin; None for `null` and for other schemes than http and https."""
    scheme, _, place = origin.partition("://")
    return authority_host(place) if scheme.lower() in _DEFAULT_PORTS else None


def _port(match: re.Match[str], default: int) -> int:
    return int(match[3]) if match[3] else default
