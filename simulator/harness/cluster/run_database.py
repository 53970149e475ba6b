"""The databases of simulated clusters: each run has a new one on a server that the user names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from missedd.store.db.error_text import first_line

_numbers = count(1)


class NoServer(Exception):
    """The server cannot be used; the text says why and what to do."""


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Create an empty database, whose URL this returns, and drop it in the end.

    `server` is a URL, or whatever else libpq takes, of a database whose role may create others. Raises
    `NoServer`.
    """
    name = f"missedd_sim_{os.getpid()}_{next(_numbers)}"
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    except psycopg.Error as failure:
        raise NoServer(
            f"cannot create a database on {_without_password(server)}: {first_line(failure)}; "
            "--database takes the URL of a PostgreSQL and of a role that may create databases, "
            "such as postgresql://postgres@localhost/postgres"
        ) from failure
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _without_password(server: str) -> str:
    try:
        known = conninfo_to_dict(server)
    except psycopg.Error:
        return "the server"
    return f"{known.get('host', 'localhost')}:{known.get('port', 5432)}"
