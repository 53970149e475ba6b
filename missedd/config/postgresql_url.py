"""Checks the URL of a PostgreSQL before anything connects to it.

No message quotes the URL or a part of it: a password may stand in it by mistake, in any place.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

from missedd.config.secrets import DATABASE_PASSWORD
from missedd.config.values import closest_match

EXAMPLE_URL: Final = "postgresql://missedd@h1,h2,h3:5432/missedd"
_SCHEMES: Final = ("postgresql", "postgres")

_PASSWORD_IN_URL: Final = (
    "contains a password, and secrets must not be in this file: set the environment variable "
    f"{DATABASE_PASSWORD}, or use the systemd credential {DATABASE_PASSWORD.lower()} or a pgpass file"
)
_SECRET_OPTIONS: Final = ("password", "sslpassword")
_WRITABLE: Final = ("read-write", "primary")
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::([^:]*))?")


def url_problem(url: str) -> tuple[str, str | None] | None:
    """What is wrong with the URL, and the nearest valid word; None if a PostgreSQL client can use it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _SCHEMES:
        close = closest_match(scheme, _SCHEMES) if separator else None
        return f'must be the URL of a PostgreSQL, such as "{EXAMPLE_URL}"', close and f"{close}://"
    authority, path, query = _parts(rest)
    user, _, hosts = authority.rpartition("@")
    # A password with a slash or a question mark ends the authority too early: its @ stands further on.
    if ":" in user or "@" in path + query:
        return _PASSWORD_IN_URL, None
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True)) if query else {}
    except ValueError:
        return "must have its options after the name of the database, as in ?sslmode=verify-full", None
    if any(secret in options for secret in _SECRET_OPTIONS):
        return _PASSWORD_IN_URL, None
    if "#" in url or any(character.isspace() for character in url):
        return "must not contain a space or a #; write %20 or %23", None
    if not (unquote(path.removeprefix("/")) or options.get("dbname")):
        return f'names no database: write its name behind the hosts, as in "{EXAMPLE_URL}"', None
    return _hosts_problem(hosts, options) or _options_problem(options)


def _parts(rest: str) -> tuple[str, str, str]:
    """The user and the hosts; the database with its slash; the options."""
    before, _, query = rest.partition("?")
    authority, slash, name = before.partition("/")
    return authority, slash + name, query


def _hosts_problem(hosts: str, options: dict[str, str]) -> tuple[str, str | None] | None:
    ports = [match[1] if (match := _HOST.fullmatch(host)) else "" for host in hosts.split(",")]
    if "" in ports:
        return f'has a host without a name or a port after its colon; write it as in "{EXAMPLE_URL}"', None
    ports += options.get("port", "").split(",") if options.get("port") else []
    for place, port in enumerate(ports, 1):
        if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            which = "port" if len(ports) == 1 else f"port number {place}"
            return f"has a {which} that is not a whole number from 1 to 65535", None
    return None


def _options_problem(options: dict[str, str]) -> tuple[str, str | None] | None:
    # Only whoever configures a PostgreSQL loads its client library.
    from psycopg.pq import Conninfo

    known = [option.keyword.decode() for option in Conninfo.get_defaults()]
    for name in options:
        if name not in known:
            return "has an option that PostgreSQL's client library does not know", closest_match(name, known)
    if options.get("target_session_attrs", _WRITABLE[0]) not in _WRITABLE:
        return "must not have target_session_attrs but read-write: missedd writes in every transaction", None
    return None
