"""One snapshot of the database, for commands that read more rows than fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from missedd.store.db.database import Row


class DatabaseSnapshot(Protocol):
    """Every query sees the same state, whatever a daemon writes meanwhile."""

    def rows(self, sql: str, params: Sequence[object] = ()) -> Iterator[Row]:
        """The rows of a query, read as they are asked for. Several queries may be open at once."""
        ...
