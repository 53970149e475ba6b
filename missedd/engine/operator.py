"""What an operator may do to a running engine, from the console, the API or the command line.

Each returns when it is durable, with its audit record in the same transaction. What it makes due
is told to the timers here, so that nobody else has to know that an operator was there; and with the
commit itself, as whoever asked may have hung up before the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from missedd.base.clock import Clock, to_iso
from missedd.core.actions.resolution import Resolution
from missedd.core.admission.pauses import Pause
from missedd.core.audit import Actor, AuditAction
from missedd.core.model import Outcome
from missedd.core.people.conversions import ConversionInput, ConversionResult, StoredConversion
from missedd.core.people.erasure import ErasureCause, ErasureRefusal, ErasureResult
from missedd.core.people.leads import LeadStatus
from missedd.core.policy import Policy
from missedd.engine.intake.cancellation_log import log_cancelled
from missedd.engine.timing.timers import Timers
from missedd.log.logger import Event, Logger
from missedd.store.actions.operator_changes import (
    ResolutionResult,
    resend_parked_webhooks,
    resend_webhook,
    resolve_unknown,
)
from missedd.store.actions.pauses import pause, resume
from missedd.store.actions.quarantine import ReleaseResult, release_quarantine
from missedd.store.actions.rows import Timer
from missedd.store.db.database import Database
from missedd.store.people.consents import unsubscribe
from missedd.store.people.conversions import record_conversions
from missedd.store.people.erase import erase_number
from missedd.store.people.leads import LeadStatusChange, set_lead_status
from missedd.store.people.suppressions import suppress, unsuppress
from missedd.store.reads.audit import record_audit
from missedd.store.store import Store


class Operator:
    def __init__(self, store: Store, policy: Policy, clock: Clock, log: Logger, timers: Timers) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._timers = timers

    def _log_action(self, actor: Actor, audit_action: AuditAction, **fields: object) -> None:
        self._log.info(
            Event.OPERATOR_ACTED, deed=audit_action, source=actor.source, peer=actor.peer, **fields
        )

    async def suppress(self, actor: Actor, number: str, reason: str, until: datetime | None) -> None:
        now = self._clock.now()

        async def unit(db: Database) -> None:
            await suppress(db, number, reason, actor.source, now, until)
            await record_audit(
                db, actor, AuditAction.NUMBER_SUPPRESSED, number, now, reason=reason, until=to_iso(until)
            )

        await self._store.write(unit)
        self._log_action(actor, AuditAction.NUMBER_SUPPRESSED, number=number)

    async def unsuppress(self, actor: Actor, number: str) -> bool:
        """False if the number was not suppressed."""
        now = self._clock.now()

        async def unit(db: Database) -> bool:
            was_there = await unsuppress(db, number)
            if was_there:
                await record_audit(db, actor, AuditAction.NUMBER_RELEASED, number, now)
            return was_there

        was_there = await self._store.write(unit)
        if was_there:
            self._log_action(actor, AuditAction.NUMBER_RELEASED, number=number)
        return was_there

    async def unsubscribe(self, actor: Actor, name: str, number: str) -> bool:
        """Take a number off a list; False if it was not on it."""
        now = self._clock.now()

        async def unit(db: Database) -> bool:
            was_there = await unsubscribe(db, name, number, actor.source, now)
            if was_there:
                await record_audit(db, actor, AuditAction.NUMBER_UNSUBSCRIBED, number, now, list=name)
            return was_there

        was_there = await self._store.write(unit)
        if was_there:
            self._log_action(actor, AuditAction.NUMBER_UNSUBSCRIBED, number=number, list=name)
        return was_there

    async def erase(self, actor: Actor, number: str) -> ErasureResult | ErasureRefusal:
        """Put a pseudonym in the place of a number; the record of that has the pseudonym only."""
        now = self._clock.now()

        async def unit(db: Database) -> ErasureResult | ErasureRefusal:
            erased = await erase_number(db, number, now, ErasureCause.OPERATOR)
            if isinstance(erased, ErasureResult):
                kept = {"suppressions": erased.suppressions, "consents": erased.consents}
                await record_audit(db, actor, AuditAction.NUMBER_ERASED, erased.pseudonym, now, **kept)
            return erased

        erased = await self._store.write(unit, offload=True)
        if isinstance(erased, ErasureResult):
            self._log_action(actor, AuditAction.NUMBER_ERASED, pseudonym=erased.pseudonym)
        return erased

    async def set_lead_status(self, actor: Actor, lead_id: int, status: LeadStatus) -> bool:
        """Keep what an operator says of a lead; False if there is no such lead."""
        now = self._clock.now()

        async def unit(db: Database) -> LeadStatusChange | None:
            marked = await set_lead_status(db, lead_id, status, now)
            if marked is not None and marked.previous is not status:
                await record_audit(
                    db, actor, AuditAction.LEAD_MARKED, lead_id, now, before=marked.previous, status=status
                )
            return marked

        marked = await self._store.write(unit)
        if marked is not None and marked.previous is not status:
            self._log_action(actor, AuditAction.LEAD_MARKED, lead=lead_id, status=status)
        return marked is not None

    async def record_conversions(
        self, actor: Actor, conversions: Sequence[ConversionInput], *, dry_run: bool
    ) -> list[ConversionResult]:
        """Keep what the business says its callers became; an answer for each, in order."""
        now = self._clock.now()

        async def unit(db: Database) -> list[ConversionResult]:
            answers = await record_conversions(db, conversions, now, dry_run=dry_run)
            if not dry_run and (new := _new_conversions(answers)):
                ids = {"first": new[0]["id"], "last": new[-1]["id"]}
                await record_audit(
                    db,
                    actor,
                    AuditAction.CONVERSIONS_RECORDED,
                    new[0]["reference"],
                    now,
                    count=len(new),
                    **ids,
                )
            return answers

        answers = await self._store.write(unit, offload=True)
        if not dry_run and (new := _new_conversions(answers)):
            self._log_action(actor, AuditAction.CONVERSIONS_RECORDED, count=len(new))
        return answers

    async def resend(self, actor: Actor, action_id: int) -> int | None:
        """Send a parked webhook again; the new action's id, or None if there is no such webhook."""
        now = self._clock.now()

        async def unit(db: Database) -> Timer | None:
            wake = await resend_webhook(db, action_id, now)
            if wake is not None:
                await record_audit(
                    db, actor, AuditAction.WEBHOOK_RESENT, action_id, now, action=wake.action_id
                )
            return wake

        def follow(wake: Timer | None) -> None:
            if wake is not None:
                self._timers.add([wake])
                self._log_action(actor, AuditAction.WEBHOOK_RESENT, action=action_id)

        wake = await self._store.write(unit, follow)
        return None if wake is None else wake.action_id

    async def resend_parked(self, actor: Actor) -> int:
        """Send the latest parked webhooks again; how many went out, 0 once none is left."""
        now = self._clock.now()

        async def unit(db: Database) -> list[Timer]:
            wakes = await resend_parked_webhooks(db, now)
            if wakes:
                await record_audit(db, actor, AuditAction.WEBHOOK_RESENT, "parked", now, actions=len(wakes))
            return wakes

        def follow(wakes: list[Timer]) -> None:
            if wakes:
                self._timers.add(wakes)
                self._log_action(actor, AuditAction.WEBHOOK_RESENT, actions=len(wakes))

        wakes = await self._store.write(unit, follow)
        return len(wakes)

    async def resolve_unknown(
        self, actor: Actor, action_id: int, outcome: Outcome, remark: str | None
    ) -> Resolution:
        """Keep what an operator found out about an action that ended as `unknown`, or is still looked for."""
        now = self._clock.now()

        async def unit(db: Database) -> ResolutionResult:
            settled = await resolve_unknown(db, action_id, outcome, remark, self._policy, now)
            if settled.resolution is Resolution.SETTLED:
                await record_audit(
                    db, actor, AuditAction.ACTION_SETTLED, action_id, now, outcome=outcome, note=remark
                )
            return settled

        settled = await self._store.write(unit)
        if settled.resolution is Resolution.SETTLED:
            self._log_action(actor, AuditAction.ACTION_SETTLED, action=action_id, outcome=outcome)
            self._timers.add(settled.timers)
            log_cancelled(self._log, settled.cancelled)
        return settled.resolution

    async def pause(self, actor: Actor, campaign: str, until: datetime | None, why: str) -> Pause:
        """Let nobody be called or texted for a campaign, until an instant or until `resume`."""
        now = self._clock.now()
        begun = Pause(campaign, now, until, why, actor)

        async def unit(db: Database) -> list[Timer]:
            await record_audit(
                db, actor, AuditAction.CAMPAIGN_PAUSED, campaign, now, why=why, until=to_iso(until)
            )
            return await pause(db, begun)

        def follow(wakes: list[Timer]) -> None:
            self._timers.add(wakes)
            self._log_action(actor, AuditAction.CAMPAIGN_PAUSED, campaign=campaign, until=to_iso(until))

        await self._store.write(unit, follow, offload=True)
        return begun

    async def resume(self, actor: Actor, campaign: str) -> bool:
        """End a campaign's pause; False if it is not paused."""
        now = self._clock.now()

        async def unit(db: Database) -> list[Timer] | None:
            wakes = await resume(db, campaign, now)
            if wakes is not None:
                await record_audit(db, actor, AuditAction.CAMPAIGN_RESUMED, campaign, now, actions=len(wakes))
            return wakes

        def follow(wakes: list[Timer] | None) -> None:
            if wakes is not None:
                self._timers.add(wakes)
                self._log_action(actor, AuditAction.CAMPAIGN_RESUMED, campaign=campaign, actions=len(wakes))

        return await self._store.write(unit, follow, offload=True) is not None

    async def release_quarantine(self, actor: Actor, *, drop: bool) -> int:
        """End the quarantine after a restore; how many actions were released, or dropped."""
        now = self._clock.now()

        async def unit(db: Database) -> ReleaseResult:
            released = await release_quarantine(db, now, drop=drop)
            await record_audit(
                db, actor, AuditAction.QUARANTINE_ENDED, "database", now, actions=released.actions, drop=drop
            )
            return released

        def follow(released: ReleaseResult) -> None:
            self._timers.add(released.timers)
            self._log_action(actor, AuditAction.QUARANTINE_ENDED)
            self._log.warning(Event.STORE_RELEASED, actions=released.actions, dropped=drop)

        return (await self._store.write(unit, follow, offload=True)).actions


def _new_conversions(answers: Sequence[ConversionResult]) -> list[Mapping[str, Any]]:
    """The conversions that were not known before."""
    return [
        each.conversion for each in answers if isinstance(each, StoredConversion) and not each.is_repeated
    ]
