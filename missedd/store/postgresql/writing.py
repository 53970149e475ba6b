"""The writing connection: a transaction with its locks, and what becomes of a COMMIT without an answer.

Each transaction begins with an UPDATE of this daemon's own row in `writers`, which counts its transactions.
When the answer to a COMMIT is lost, that row tells whether the transaction was committed: in it or not in it,
both in the same transaction. `pg_xact_status` cannot tell: after a failover the new primary gives out again
the transaction ids that the old one had not replicated, and 14 of 61 answers were wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
import trio
from psycopg import pq

from missedd.store.db.database import UnitOfWork
from missedd.store.db.error_text import first_line
from missedd.store.db.group_commit import commit_group, no_fault
from missedd.store.db.lock_keys import EVERYTHING, NO_LOCKS, LockKeys, MoreLocks
from missedd.store.db.write_counts import WriteCounts
from missedd.store.postgresql.connecting import ANSWER_LIMIT_S, ConnectionFactory, Unreachable
from missedd.store.postgresql.lock_statement import LOCK_STATEMENT, lock_parameters
from missedd.store.postgresql.postgresql_engine import POSTGRESQL
from missedd.store.postgresql.sql_session import SqlSession
from missedd.store.postgresql.sql_text import numbered
from missedd.store.postgresql.trio_connection import NoAnswer, TrioConnection

OFFLOAD_ANSWER_LIMIT_S: Final = 60.0
"""The same for units that may read many rows, such as a rollup."""

MIN_RETRY_S: Final = 0.1
MAX_RETRY_S: Final = 1.0
"""Waits between attempts to connect: the first one, and the longest; each is twice the one before."""

CHECK_EVERY_S: Final = 1.0
"""How often an idle connection is asked whether it still works."""

# The row is this daemon's own, so nobody waits for it. The UPDATE also gives the transaction its id, before
# it takes any id of a row.
_PREPARE: Final = """
PREPARE count_transaction (bigint) AS
UPDATE writers SET seq = seq + 1, seen_at = db_now_us() WHERE id = $1 RETURNING seq;
PREPARE take_locks (bigint, text, text) AS """ + numbered(LOCK_STATEMENT)
# One round trip for the three: at one call a transaction a round trip is a fifth of the cost.
_BEGIN: Final = (
    "BEGIN; EXECUTE count_transaction({writer}); EXECUTE take_locks({everything}, '{texts}', '{ids}')"
)
_NEW_WRITER: Final = "INSERT INTO writers (id, seq, seen_at) VALUES (?, 1, db_now_us())"
_FORGET_WRITERS: Final = "DELETE FROM writers WHERE seen_at < db_now_us() - 30 * 86400000000"
_RESOLVE: Final = "SELECT seq FROM writers WHERE id = ? FOR UPDATE"


class NotCommitted(psycopg.OperationalError):
    """The connection was lost during a COMMIT, and the transaction was not committed."""


class WritingDatabase(SqlSession):
    """A `TransactionalDatabase`: one connection at a time, a new one after an error of the connection."""

    engine = POSTGRESQL

    def __init__(self, factory: ConnectionFactory, connection: TrioConnection, writer_id: int) -> None:
        """`writer_id` is this connection's own, and none had it before: it names the row in `writers`."""
        super().__init__(connection)
        self._factory = factory
        self._writer_id = writer_id
        self._seq = 0
        self._prepared_on: TrioConnection | None = None
        self._held = NO_LOCKS
        self._retry_s = 0.0
        self._retry_at_s = 0.0
        self._was_warned = False
        self.answer_limit_s = ANSWER_LIMIT_S
        """How long the server may be silent during a statement of a unit."""
        self.outage: str | None = None
        """Why the database cannot be reached at the moment."""
        self.counts = WriteCounts()
        self.shield = trio.CancelScope(shield=True)
        """Keeps a transaction from being cancelled, except while it waits for a lost database."""
        self._adopt(connection)

    async def lock(self, keys: LockKeys) -> None:
        if not self._held.covers(keys):
            self.counts.group_retries += 1
            raise MoreLocks(keys)

    async def begin(self, locks: LockKeys) -> None:
        if not self.is_open:
            await self.reconnect()
        self.connection.answer_limit_s = self.answer_limit_s
        try:
            await self._begin(locks)
        except NoAnswer:
            raise
        except psycopg.OperationalError:
            if self.is_open:
                raise
            # The connection broke while nobody used it, so nothing is lost.
            await self.reconnect()
            await self._begin(locks)
        self._held = locks

    async def commit(self) -> None:
        """Make the transaction durable; raises `NotCommitted`. After a lost answer, ask until it is known."""
        if not await self._commit_answered() and not await self._was_committed():
            raise NotCommitted("the connection was lost during a COMMIT, and nothing was committed")

    async def rollback(self) -> None:
        if self.is_open and self.connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            try:
                await self.command("ROLLBACK")
            except psycopg.Error:
                self.discard()  # the server undoes what is not committed

    async def reconnect(self) -> None:
        """Connect anew; raises `Unreachable`, at once if the last attempt failed a moment ago."""
        self.discard()
        if trio.current_time() < self._retry_at_s and self.outage is not None:
            raise Unreachable(self.outage)
        try:
            self._adopt(await self._factory.connect())
        except Unreachable as failure:
            self.outage = first_line(failure)
            self._retry_s = min(max(MIN_RETRY_S, 2 * self._retry_s), MAX_RETRY_S)
            self._retry_at_s = trio.current_time() + self._retry_s
            raise

    def _adopt(self, connection: TrioConnection) -> None:
        connection.add_notice_handler(self._note_warning)
        connection.answer_limit_s = self.answer_limit_s
        if connection is not self.connection:
            self.use(connection)
        self.outage = None
        self._retry_s = 0.0

    def _failed(self, failure: psycopg.Error) -> psycopg.Error:
        self.counts.group_retries += isinstance(failure, POSTGRESQL.run_again)
        if failure.diag.severity_nonlocalized != "ERROR":
            self.outage = first_line(failure)  # the connection is lost, until there is a new one
        return super()._failed(failure)

    def _note_warning(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._was_warned = True

    async def _begin(self, locks: LockKeys) -> None:
        if self._prepared_on is not self.connection:
            await self.command(_PREPARE)
            self._prepared_on = self.connection
        everything, texts, ids = lock_parameters(locks)
        texts = texts.replace("'", "''")
        begin = _BEGIN.format(writer=self._writer_id, everything=everything, texts=texts, ids=ids)
        if counted := await self.run_script(begin, 1):
            self._seq = counted[0][0]
            return
        # The first transaction of this daemon, or its row is gone, as after a restore of the database.
        await self.execute(_FORGET_WRITERS)
        await self.execute(_NEW_WRITER, (self._writer_id,))
        self._seq = 1

    async def _commit_answered(self) -> bool:
        """Whether the server said that it has committed; False if nobody knows."""
        self._was_warned = False
        self.connection.answer_limit_s = ANSWER_LIMIT_S
        try:
            done = await self.command("COMMIT")
        except psycopg.Error as failure:
            if failure.diag.severity_nonlocalized == "ERROR":
                raise  # the server itself says that it has not committed
            return False
        if done != "COMMIT":
            raise psycopg.OperationalError(f"the server answered {done} to COMMIT")
        # A warning: an administrator has ended the wait for the standby, which may not have the transaction.
        return not self._was_warned

    async def _was_committed(self) -> bool:
        """Whether the last transaction was committed. Asks for as long as it takes.

        The row is locked by the transaction if that still runs. The COMMIT here waits for the standby, so
        when it is answered, the standby has what was read before.
        """
        self.outage = "the answer to a COMMIT was lost"
        wait_s = MIN_RETRY_S
        # Nothing is half done now, so a daemon that is being stopped need not wait.
        self.shield.shield = False
        while True:
            self.discard()
            try:
                self._adopt(await self._factory.connect())
                await self.command("BEGIN")
                rows = await self.fetch_all(_RESOLVE, (self._writer_id,))
                if await self._commit_answered():
                    self.counts.lost_commits_resolved += 1
                    return bool(rows) and rows[0][0] >= self._seq
            except psycopg.Error as failure:
                self.outage = (
                    f"the answer to a COMMIT was lost, and asking again failed: {first_line(failure)}"
                )
            await trio.sleep(wait_s)
            wait_s = min(2 * wait_s, MAX_RETRY_S)


class WritingConnection:
    """A `DatabaseConnection` that writes; one call at a time."""

    def __init__(self, database: WritingDatabase) -> None:
        self._database = database
        # Two users of one connection would share one transaction.
        self._lock = trio.Lock()

    @property
    def outage(self) -> str | None:
        """Why the database cannot be reached at the moment; None while it can."""
        return self._database.outage

    @property
    def counts(self) -> WriteCounts:
        return self._database.counts

    async def write(
        self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False, locks: LockKeys = EVERYTHING
    ) -> list[Any]:
        """Run the units in one transaction; see `DatabaseConnection.write`.

        A trio task that is cancelled meanwhile is cancelled afterwards: a transaction runs to its end.
        """
        async with self._lock:
            self._database.answer_limit_s = OFFLOAD_ANSWER_LIMIT_S if offload else ANSWER_LIMIT_S
            results: list[Any] = []
            try:
                with trio.CancelScope(shield=True) as self._database.shield:
                    results = await commit_group(self._database, units, no_fault, locks)
            except trio.Cancelled:
                self._database.discard()
                raise
            return results

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        """Run a reading unit in a transaction of its own that locks nothing."""
        (result,) = await self.write([unit], locks=NO_LOCKS)
        if isinstance(result, BaseException):
            raise result
        value: T = result
        return value

    async def keep_connected(self) -> None:
        """Ask an idle connection whether it works, and connect anew if it does not, for ever."""
        while True:
            await trio.sleep(CHECK_EVERY_S)
            if not self._lock.locked():
                await self._check()

    async def _check(self) -> None:
        async with self._lock:
            try:
                if self._database.is_open:
                    await self._database.command("SELECT 1")
                else:
                    await self._database.reconnect()
            except psycopg.Error as failure:
                self._database.outage = first_line(failure)

    async def close(self) -> None:
        self._database.discard()
