"""Units of work on callbacks, SMS and webhooks."""

from __future__ import annotations

from typing import Final

from missedd.core.actions.resolution import Resolution
from missedd.operator_actions.actions import ResendParkedWebhooks, ResendWebhook, ResolveUnknown
from missedd.store.actions.operator_changes import resend_parked_webhooks, resend_webhook, resolve_unknown
from missedd.store.db.database import Database
from missedd.store.operations.effect import AuditNote, ChangeContext, Effect, Operation, OperationTable


async def _resend(db: Database, change: ResendWebhook, context: ChangeContext) -> Effect[int | None]:
    timer = await resend_webhook(db, change.action_id, context.now)
    if timer is None:
        return Effect(None)
    note = AuditNote(change.action_id, {"action": timer.action_id}, {"action": change.action_id})
    return Effect(timer.action_id, note, [timer])


async def _resend_parked(db: Database, change: ResendParkedWebhooks, context: ChangeContext) -> Effect[int]:
    timers = await resend_parked_webhooks(db, context.now)
    if not timers:
        return Effect(0)
    count = {"actions": len(timers)}
    return Effect(len(timers), AuditNote("parked", count, count), timers)


async def _resolve(db: Database, change: ResolveUnknown, context: ChangeContext) -> Effect[Resolution]:
    resolved = await resolve_unknown(
        db, change.action_id, change.outcome, change.note, context.policy, context.now
    )
    if resolved.resolution is not Resolution.SETTLED:
        return Effect(resolved.resolution)
    details = {"outcome": change.outcome, "note": change.note}
    note = AuditNote(change.action_id, details, {"action": change.action_id, "outcome": change.outcome})
    return Effect(resolved.resolution, note, resolved.timers, resolved.cancelled)


OPERATIONS: Final[OperationTable] = {
    ResendWebhook: Operation(_resend),
    ResendParkedWebhooks: Operation(_resend_parked),
    ResolveUnknown: Operation(_resolve),
}
