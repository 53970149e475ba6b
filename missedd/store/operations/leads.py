"""Units of work on leads."""

from __future__ import annotations

from typing import Final

from missedd.core.people.conversions import ConversionResult, StoredConversion
from missedd.operator_actions.leads import MarkLead, RecordConversions
from missedd.store.db.database import Database
from missedd.store.operations.effect import AuditNote, ChangeContext, Effect, Operation, OperationTable
from missedd.store.people.conversions import record_conversions
from missedd.store.people.leads import set_lead_status


async def _mark(db: Database, change: MarkLead, context: ChangeContext) -> Effect[bool]:
    marked = await set_lead_status(db, change.lead_id, change.status, context.now)
    if marked is None or marked.previous is change.status:
        return Effect(marked is not None)
    details = {"before": marked.previous, "status": change.status}
    log = {"lead": change.lead_id, "status": change.status}
    return Effect(True, AuditNote(change.lead_id, details, log))


async def _record_conversions(
    db: Database, change: RecordConversions, context: ChangeContext
) -> Effect[list[ConversionResult]]:
    results = await record_conversions(db, change.conversions, context.now, dry_run=change.dry_run)
    new = [each.conversion for each in results if isinstance(each, StoredConversion) and not each.is_repeated]
    if change.dry_run or not new:
        return Effect(results)
    count = {"count": len(new)}
    ids = {"first": new[0].id, "last": new[-1].id}
    return Effect(results, AuditNote(new[0].reference, count | ids, count))


OPERATIONS: Final[OperationTable] = {
    MarkLead: Operation(_mark),
    RecordConversions: Operation(_record_conversions, is_long=True),
}
