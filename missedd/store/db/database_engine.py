"""The acts that the databases do differently. Everything else is one SQL text for both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from missedd.store.db.database import Database

type IdTable = Literal["calls", "actions", "conversions"]
"""The tables whose ids are given out before their rows are inserted."""


@dataclass(frozen=True, slots=True)
class DatabaseEngine:
    """One kind of database, with its spelling of each act."""

    name: Literal["sqlite", "postgresql"]
    new_ids: Callable[[Database, IdTable, int], Awaitable[Iterator[int]]]
    """Ids that no row of the table ever had, in rising order, at least as many as asked for."""
    schema_version: Callable[[Database], Awaitable[int]]
    """The number of migrations that the database has had, as a unit of work."""
    skip_action_ids: Callable[[Database, int], Awaitable[None]]
    """Give out none of the next ids of actions, so many of them."""
    erasing: Callable[[Database], AbstractAsyncContextManager[None]]
    """In this block what is overwritten or deleted must not stay readable in the database's files."""
    transaction_number: Callable[[Database], Awaitable[int]]
    """The number of this transaction; those that begin later to write have higher numbers."""
    have_ended: Callable[[Database, int], Awaitable[bool]]
    """Whether every transaction with a number below this one has ended, as a reading unit."""
    has_one_writer: bool
    """Whether one connection writes, so that each transaction begins after the one before has ended."""
    failures: tuple[type[Exception], ...]
    """Errors of statements that mean: this transaction cannot be made durable, try again later."""
    run_again: tuple[type[Exception], ...] = ()
    """Those errors among them that mean: other nodes were in the way, so run the transaction again."""
