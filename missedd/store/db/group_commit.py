"""Group commit: many units share one transaction and one fsync, and a failing unit harms only itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from missedd.store.db.database import Database, NotDurable, TransactionalDatabase, UnitOfWork
from missedd.store.db.error_text import first_line
from missedd.store.db.lock_keys import EVERYTHING, LockKeys, MoreLocks

type FaultHook = Callable[[str], None]
"""Called with `begin`, `before-commit` and `after-commit`; a simulated fault raises from it."""

MAX_RUNS: Final = 10
"""How often a transaction is begun, since units ask for more locks or other nodes are in the way."""


def no_fault(point: str) -> None:
    """The fault hook of the real daemon: no simulated faults."""


async def commit_group(
    db: TransactionalDatabase,
    units: Sequence[UnitOfWork[Any]],
    fault_hook: FaultHook = no_fault,
    locks: LockKeys = EVERYTHING,
) -> list[Any]:
    """Run `units` in one transaction; see `DatabaseConnection.write` for what it returns and raises.

    There are no savepoints, so the usual case does not pay for them. If a unit fails, everything is rolled
    back and each unit runs again in a transaction of its own. So units must be repeatable.
    """
    try:
        return await _transaction(db, units, fault_hook, locks)
    except NotDurable:
        raise
    except Exception as failure:
        if len(units) == 1:
            return [failure]
    results: list[Any] = []
    for unit in units:
        try:
            results += await _transaction(db, [unit], fault_hook, locks)
        except Exception as failure:
            results.append(failure)
    return results


async def _transaction(
    db: TransactionalDatabase, units: Sequence[UnitOfWork[Any]], fault_hook: FaultHook, locks: LockKeys
) -> list[Any]:
    runs = 0
    while True:
        runs += 1
        try:
            fault_hook("begin")
            await db.begin(locks)
            results = [await unit(db) for unit in units]
            fault_hook("before-commit")
            await db.commit()
        except MoreLocks as needed:
            await db.rollback()
            if runs >= MAX_RUNS:
                raise NotDurable(f"{runs} times in a row, {needed}") from None
            locks |= needed.keys
        except db.engine.failures as failure:
            await db.rollback()
            if runs >= MAX_RUNS or not isinstance(failure, db.engine.run_again):
                raise NotDurable(first_line(failure)) from failure
        except Exception:
            await db.rollback()
            raise
        else:
            fault_hook("after-commit")
            return results


async def read_snapshot[T](db: Database, unit: UnitOfWork[T]) -> T:
    """Run a reading unit on one consistent view of the database."""
    await db.execute("BEGIN")
    try:
        return await unit(db)
    finally:
        await db.execute("ROLLBACK")
