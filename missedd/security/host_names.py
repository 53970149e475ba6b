"""Host names as a browser writes them: in a Host header, and in the Origin of a page.

`Missedd.Example.In.:8081` is the host `missedd.example.in`. An address is written as RFC 5952 has it, and
one of IPv4 in the dress of IPv6 as the IPv4 address that it is.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_AUTHORITY: Final = re.compile(r"(?:\[([0-9A-Fa-f]*:[0-9A-Fa-f:.]*)\]|([A-Za-z0-9._-]+))(?::(\d{0,5}))?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def canonical_host(host: str) -> str | None:
    """A name or an address, without port or brackets, as two of them are compared; None for anything else."""
    if (address := parse_ip(host)) is not None:
        return str(address)
    name = host.lower().removesuffix(".")
    labels = name.split(".")
    is_name = len(name) <= 253 and all(re.fullmatch(r"[a-z0-9_-]{1,63}", label) for label in labels)
    # What ends in a number is an address to a browser, and no well written one.
    return name if is_name and not labels[-1].isdigit() else None


def parse_ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def authority_host(authority: str) -> str | None:
    """The host of `HOST:PORT` or `HOST`, canonical; None if there is none."""
    found = _AUTHORITY.fullmatch(authority)
    return canonical_host(found[1] or found[2]) if found else None


def is_same_origin(origin: str, authority: str) -> bool:
    """Whether a page of `origin` came from the host and port of `authority`, as of a Host header.

    A port that is left out is that of the origin's scheme: a proxy may have taken the TLS off.
    """
    scheme, _, place = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme.lower())
    page, asked = _AUTHORITY.fullmatch(place), _AUTHORITY.fullmatch(authority)
    if default is None or page is None or asked is None:
        return False
    host = authority_host(place)
    return (
        host is not None
        and host == authority_host(authority)
        and _port(page, default) == _port(asked, default)
    )


def origin_host(origin: str) -> str | None:
    """The host of a page's origin, canonical; None for `null` and for what is neither http nor https."""
    scheme, _, place = origin.partition("://")
    return authority_host(place) if scheme.lower() in _DEFAULT_PORTS else None


def _port(found: re.Match[str], default: int) -> int:
    return int(found[3]) if found[3] else default
