"""Units of work on campaigns."""

from __future__ import annotations

from typing import Final

from missedd.base.clock import to_iso
from missedd.core.admission.pauses import Pause
from missedd.operator_actions.campaigns import PauseCampaign, ResumeCampaign
from missedd.store.actions.pauses import pause, resume
from missedd.store.db.database import Database
from missedd.store.operations.effect import AuditNote, ChangeContext, Effect, Operation, OperationTable


async def _pause(db: Database, change: PauseCampaign, context: ChangeContext) -> Effect[Pause]:
    new_pause = Pause(change.name, context.now, change.until, change.why, context.actor)
    timers = await pause(db, new_pause)
    until = to_iso(change.until)
    fields = {"campaign": change.name, "until": until}
    return Effect(new_pause, AuditNote(change.name, {"why": change.why, "until": until}, fields), timers)


async def _resume(db: Database, change: ResumeCampaign, context: ChangeContext) -> Effect[bool]:
    timers = await resume(db, change.name, context.now)
    if timers is None:
        return Effect(False)
    details = {"actions": len(timers)}
    return Effect(True, AuditNote(change.name, details, {"campaign": change.name, **details}), timers)


OPERATIONS: Final[OperationTable] = {
    PauseCampaign: Operation(_pause, is_long=True),
    ResumeCampaign: Operation(_resume, is_long=True),
}
