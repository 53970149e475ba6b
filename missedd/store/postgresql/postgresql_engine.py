"""PostgreSQL's spelling of the acts that databases do differently."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import chain
from typing import Final

import psycopg

from missedd.store.db.database import Database
from missedd.store.db.database_engine import DatabaseEngine, IdTable
from missedd.store.postgresql.migrate import schema_version

IDS_PER_BLOCK: Final = 32
"""Ids that one call of nextval gives out: the sequences are made with this increment."""

_NEXT_BLOCKS: Final = {
    "calls": "SELECT nextval('call_ids') FROM generate_series(1, ?)",
    "actions": "SELECT nextval('action_ids') FROM generate_series(1, ?)",
    "conversions": "SELECT nextval('conversion_ids') FROM generate_series(1, ?)",
}


async def _new_ids(db: Database, table: IdTable, at_least: int) -> Iterator[int]:
    """Blocks of the table's sequence. Other nodes take other blocks, so a later id may be a smaller one.

    The transaction has its own id already, as it began with an UPDATE. So it can be known which transactions
    may still add rows with smaller ids.
    """
    blocks = max(1, -(-at_least // IDS_PER_BLOCK))
    firsts = sorted(int(first) for (first,) in await db.fetch_all(_NEXT_BLOCKS[table], (blocks,)))
    return chain.from_iterable(range(first, first + IDS_PER_BLOCK) for first in firsts)


async def _skip_action_ids(db: Database, number: int) -> None:
    """The sequence moves on at once, and stays there whatever becomes of the transaction."""
    await db.fetch_all("SELECT setval('action_ids', nextval('action_ids') + ?)", (number,))


@asynccontextmanager
async def _erasing(db: Database) -> AsyncIterator[None]:
    """Nothing to do here: VACUUM overwrites the old rows, and runs by itself outside transactions."""
    yield


async def _transaction_number(db: Database) -> int:
    ((number,),) = await db.fetch_all("SELECT pg_current_xact_id()::text::bigint")
    return int(number)


async def _have_ended(db: Database, number: int) -> bool:
    # The snapshot's xmax would not do as the number: it is one past the last transaction that has ended, and
    # 4 rows of 18,000 were still missed.
    ((ended,),) = await db.fetch_all(
        "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= ?", (number,)
    )
    return bool(ended)


POSTGRESQL: Final = DatabaseEngine(
    name="postgresql",
    new_ids=_new_ids,
    schema_version=schema_version,
    skip_action_ids=_skip_action_ids,
    erasing=_erasing,
    transaction_number=_transaction_number,
    have_ended=_have_ended,
    has_one_writer=False,
    # Not DataError and IntegrityError: those are about the values of one unit, which then fails alone.
    failures=(
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.InternalError,
        psycopg.ProgrammingError,
        psycopg.NotSupportedError,
    ),
    run_again=(psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure),
)
