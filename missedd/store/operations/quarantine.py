"""The unit of work that ends the quarantine after a restore."""

from __future__ import annotations

from typing import Final

from missedd.operator_actions.quarantine import ReleaseQuarantine
from missedd.store.actions.quarantine import release_quarantine
from missedd.store.db.database import Database
from missedd.store.operations.effect import AuditNote, ChangeContext, Effect, Operation, OperationTable


async def _release(db: Database, change: ReleaseQuarantine, context: ChangeContext) -> Effect[int]:
    released = await release_quarantine(db, context.now, drop=change.drop)
    note = AuditNote("database", {"actions": released.actions, "drop": change.drop})
    return Effect(released.actions, note, released.timers)


OPERATIONS: Final[OperationTable] = {ReleaseQuarantine: Operation(_release, is_long=True)}
