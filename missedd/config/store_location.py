"""Reads `[store]`: a SQLite file on this machine, or a PostgreSQL that several nodes share.

The URL may name several hosts; the driver uses the one that accepts writes. The password is not part of the
URL, because the configuration file, messages and logs must not show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from missedd.config.postgresql_url import EXAMPLE_URL, url_problem
from missedd.config.secrets import read_database_password
from missedd.config.table import ConfigTable
from missedd.config.values import toml_repr


@dataclass(frozen=True, slots=True)
class PostgresqlLocation:
    """A PostgreSQL database. `repr` and `str` do not show the password."""

    url: str
    """As libpq reads it, without a password."""
    password: str | None = field(default=None, repr=False)
    """None: libpq takes it from a pgpass file, or the server asks for none."""

    def __str__(self) -> str:
        return self.url


type StoreLocation = Path | PostgresqlLocation
"""The file of a SQLite database, or a PostgreSQL database."""


def read_store(table: ConfigTable, file: Path, environ: Mapping[str, str]) -> StoreLocation:
    """The database of the configuration in `file`. The default is `missedd.db` beside that file."""
    url = table.text("url", max_length=2_000)
    path = _read_path(table, file, environ)
    if not table.has("url"):
        return path
    if table.has("path"):
        table.problem("path", "must not stand beside url: the database is either a file or a PostgreSQL")
    if url is not None and (problem := url_problem(url)):
        table.problem("url", *problem)
    return PostgresqlLocation(url or "", read_database_password(environ, table.report))


def _read_path(table: ConfigTable, file: Path, environ: Mapping[str, str]) -> Path:
    name = table.text("path", max_length=4_000) or "missedd.db"
    if "://" in name:
        table.problem(
            "path", f'is the name of a file; for a PostgreSQL write url, as in url = "{EXAMPLE_URL}"'
        )
    elif name.startswith((":", "file:")) or name.endswith("/"):
        table.problem(
            "path",
            f"must be the name of a file, not {toml_repr(name)}: acknowledged calls must survive a restart",
        )
    # systemd separates several directories by colons; our unit asks for one.
    state_directory = environ.get("STATE_DIRECTORY", "").split(":")[0]
    return (Path(state_directory) if state_directory else file.absolute().parent) / name
