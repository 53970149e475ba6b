"""Reads `[listen]`: where the two listeners are bound, and how Exotel reaches the public one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from missedd.config.secrets import CONSOLE_PASSWORD_HASH
from missedd.config.table import ConfigTable
from missedd.config.urls import is_loopback, read_url
from missedd.config.values import toml_repr
from missedd.security.host_names import canonical_host, parse_ip


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where a listener is bound. Port 0 takes any free port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def is_public(self) -> bool:
        """Whether everybody may reach this address: it is a public internet address, or every address of this
        machine.

        A host name counts as part of the operator's own network; its address is known only when it is bound.
        """
        address = parse_ip(self.host)
        return address is not None and (address.is_unspecified or address.is_global)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """Where the public listener is bound if a proxy on the same machine connects to it."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


MAX_SOCKET_PATH_BYTES = 107
"""The operating system's limit for the path of a Unix socket, in bytes."""


@dataclass(frozen=True, slots=True)
class ListenSettings:
    public: ListenAddress | UnixSocket
    private: ListenAddress
    public_url: str
    """The address of the public listener as Exotel sees it, without a slash at the end."""
    has_public_url: bool = True
    """Whether the file sets it; else it is http to `public`."""
    private_hosts: tuple[str, ...] = ()
    """Names of the private listener, besides `localhost` and the addresses of this machine."""

    def public_url_for(self, bound: ListenAddress | UnixSocket) -> str:
        """`public_url`; if the file does not set it, the address to which the listener was `bound` (port
        0)."""
        return self.public_url if self.has_public_url else f"http://{bound}"


def inherited_mismatches(
    listen: ListenSettings, inherited: Mapping[str, Sequence[ListenAddress | UnixSocket]]
) -> Iterator[str]:
    """A warning for each address in the file that differs from the socket passed by systemd, which is used.

    `inherited` has the passed sockets by the listener's name, `public` or `private`.
    """
    for name, passed in inherited.items():
        configured = listen.public if name == "public" else listen.private
        if not any(_is_same_address(configured, each) for each in passed):
            yield (
                f"listen.{name}: is {configured}, but systemd passed {' and '.join(map(str, passed))}, "
                "which is used; write that address here too, or change ListenStream= in the socket unit"
            )
    if not listen.has_public_url and isinstance((*inherited.get("public", ()), listen.public)[0], UnixSocket):
        yield "listen.public_url: is needed with a Unix socket, else Exotel has no address for status reports"


def _is_same_address(configured: ListenAddress | UnixSocket, passed: ListenAddress | UnixSocket) -> bool:
    """Port 0 matches any port. A host name is not resolved here, so only its port is compared."""
    if isinstance(configured, UnixSocket) or isinstance(passed, UnixSocket):
        return configured == passed
    ours, theirs = parse_ip(configured.host), parse_ip(passed.host)
    is_everywhere = ours is not None and theirs is not None and ours.is_unspecified and theirs.is_unspecified
    return configured.port in (0, passed.port) and (ours in (None, theirs) or is_everywhere)


def read_listen(table: ConfigTable, warnings: list[str]) -> ListenSettings:
    public = _public(table)
    private = _listen_address(table, "private", ListenAddress("127.0.0.1", 8081))
    if public == private and private.port != 0:
        table.problem("private", f"is the same as public: {public}")
    url = read_url(table, "public_url")
    if url is not None and (urlsplit(url).query or urlsplit(url).fragment):
        table.problem("public_url", "must end after its path: a query or a fragment has no meaning here")
    if url is not None and url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
        warnings.append(
            "listen.public_url: plain http exposes every caller's number on the network; use https"
        )
    if url is not None and (base := _strip_own_path(url)) is not None:
        warnings.append(
            "listen.public_url: contains a path that missedd adds itself, so Exotel's reports would go to a "
            f"path that does not exist; write {base}"
        )
    if not private.is_loopback:
        warnings.append(
            f"listen.private: {private} is not loopback: connections are not encrypted, and without "
            f"{CONSOLE_PASSWORD_HASH} no password is needed"
        )
    hosts = _private_hosts(table)
    if not (private.is_loopback or private.is_public or hosts):
        warnings.append(
            "listen.private_hosts: not set: a browser can use only an address of this machine; "
            'to use a name, add it, as in private_hosts = ["missedd.example.in"]'
        )
    return ListenSettings(public, private, (url or f"http://{public}").rstrip("/"), url is not None, hosts)


def _private_hosts(table: ConfigTable) -> tuple[str, ...]:
    hosts: dict[str, None] = {}
    for i, value in table.items("private_hosts"):
        host = canonical_host(value) if isinstance(value, str) else None
        if host is None:
            table.problem(
                f"private_hosts[{i}]",
                f'must be a host name without port, such as "missedd.example.in", not {toml_repr(value)}',
            )
        elif host in hosts:
            table.problem(f"private_hosts[{i}]", f"is already in the list: {toml_repr(value)}")
        else:
            hosts[host] = None
    return tuple(hosts)


OWN_PATHS = ("exotel", "missed-call", "call-status", "sms-status", "sms-text")


def _strip_own_path(url: str) -> str | None:
    """A URL without missedd's own path and everything after it, because that may be secret; None if it has no
    such path."""
    parts = urlsplit(url)
    segments = parts.path.strip("/").split("/")
    ours = [place for place, segment in enumerate(segments) if segment.lower() in OWN_PATHS]
    if not ours:
        return None
    return "/".join([f"{parts.scheme}://{parts.netloc}", *segments[: ours[0]]])


def _public(table: ConfigTable) -> ListenAddress | UnixSocket:
    text = table.text("public")
    if text is None or not text.startswith("unix:"):
        return _listen_address(table, "public", ListenAddress("127.0.0.1", 8080))
    path = Path(text.removeprefix("unix:"))
    if not path.is_absolute() or len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        table.problem(
            "public",
            f"must be the absolute path of a socket, of at most {MAX_SOCKET_PATH_BYTES} bytes, such as "
            f'"unix:/run/missedd/public.sock", not {toml_repr(text)}',
        )
    if not table.has("public_url"):
        table.problem(
            "public_url", "is required with a Unix socket, because Exotel reaches the proxy in front of it"
        )
    return UnixSocket(path)


def _listen_address(table: ConfigTable, key: str, default: ListenAddress) -> ListenAddress:
    text = table.text(key)
    if text is None:
        return default
    if text.startswith("unix:"):
        table.problem(key, "must be host:port: only the public listener may be a Unix socket")
        return default
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})", text)
    if match is None or int(match[3]) > 65_535 or (match[1] and parse_ip(match[1]) is None):
        table.problem(
            key, f'must be host:port such as "127.0.0.1:8080" or "[::1]:8080", not {toml_repr(text)}'
        )
        return default
    return ListenAddress(match[1] or match[2], int(match[3]))
