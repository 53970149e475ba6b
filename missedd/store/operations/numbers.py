"""Units of work on numbers."""

from __future__ import annotations

from typing import Final

from missedd.base.clock import to_iso
from missedd.core.people.erasure import ErasureCause, ErasureRefusal, ErasureResult
from missedd.core.phone import PREFIX_WILDCARD
from missedd.operator_actions.numbers import Erase, Suppress, Unsubscribe, Unsuppress
from missedd.store.db.database import Database
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.operations.effect import AuditNote, ChangeContext, Effect, Operation, OperationTable
from missedd.store.people.consents import unsubscribe
from missedd.store.people.erase import erase_number
from missedd.store.people.suppressions import suppress, unsuppress


async def _suppress(db: Database, change: Suppress, context: ChangeContext) -> Effect[None]:
    source = context.actor.source
    await suppress(db, change.number, change.reason, source, context.now, change.until)
    details = {"reason": change.reason, "until": to_iso(change.until)}
    return Effect(None, AuditNote(change.number, details, {"number": change.number}))


async def _unsuppress(db: Database, change: Unsuppress, context: ChangeContext) -> Effect[bool]:
    if not await unsuppress(db, change.number):
        return Effect(False)
    return Effect(True, AuditNote(change.number, log={"number": change.number}))


async def _unsubscribe(db: Database, change: Unsubscribe, context: ChangeContext) -> Effect[bool]:
    if not await unsubscribe(db, change.name, change.number, context.actor.source, context.now):
        return Effect(False)
    fields = {"number": change.number, "list": change.name}
    return Effect(True, AuditNote(change.number, {"list": change.name}, fields))


async def _erase(
    db: Database, change: Erase, context: ChangeContext
) -> Effect[ErasureResult | ErasureRefusal]:
    erased = await erase_number(db, change.number, context.now, ErasureCause.OPERATOR)
    if isinstance(erased, ErasureRefusal):
        return Effect(erased)
    kept = {"suppressions": erased.suppressions, "consents": erased.consents}
    # Neither the record nor the log may hold the number any more.
    return Effect(erased, AuditNote(erased.pseudonym, kept, {"pseudonym": erased.pseudonym}))


def _locks(change: Suppress | Unsuppress | Unsubscribe | Erase) -> LockKeys:
    """The number; everything for a prefix such as `+232*`, which stands for many numbers."""
    return EVERYTHING if change.number.endswith(PREFIX_WILDCARD) else LockKeys.of(change.number)


OPERATIONS: Final[OperationTable] = {
    Suppress: Operation(_suppress, locks=_locks),
    Unsuppress: Operation(_unsuppress, locks=_locks),
    Unsubscribe: Operation(_unsubscribe, locks=_locks),
    Erase: Operation(_erase, is_long=True, locks=_locks),
}
