"""The option `--database`: the PostgreSQL on which several daemons are simulated."""

from __future__ import annotations

from typing import Final

DATABASE_HELP: Final = (
    "a PostgreSQL for several daemons, and a role that may create databases: each run has one of its own, "
    "and drops it"
)

NEEDS_SERVER: Final = (
    "several daemons need a PostgreSQL: --database URL names it, such as "
    "postgresql://postgres@localhost/postgres"
)
