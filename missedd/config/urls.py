"""Reads the URLs of the configuration, and tells loopback hosts from others."""

from __future__ import annotations

from urllib.parse import urlsplit

from missedd.config.value_reader import ValueReader
from missedd.config.values import toml_repr
from missedd.security.host_names import parse_ip


def read_url(table: ValueReader, key: str, *, required: bool = False) -> str | None:
    """An http or https URL with a host. The operator may use loopback and private addresses."""
    url = table.text(key, required=required, max_length=2_000)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or " " in url:
        table.problem(key, f"must be a URL that starts with http:// or https://, not {toml_repr(url)}")
    elif parts.username is not None or parts.password is not None:
        table.problem(key, "contains a user name or password, and secrets must not be in this file")
    else:
        return url
    return None


def is_loopback(host: str) -> bool:
    address = parse_ip(host)
    return address.is_loopback if address else host == "localhost" or host.endswith(".localhost")
