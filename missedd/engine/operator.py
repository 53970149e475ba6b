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
from missedd.core.actions.resolution import Settlement
from missedd.core.admission.pauses import Pause
from missedd.core.audit import By, Deed
from missedd.core.model import Outcome
from missedd.core.people.conversions import Answer, KeptConversion, SaidConversion
from missedd.core.people.erasure import Cause, Erased, NotErased
from missedd.core.people.leads import LeadStatus
from missedd.core.policy import Policy
from missedd.engine.intake.cancellation_log import note_cancelled
from missedd.engine.timing.timers import Timers
from missedd.log.logger import Event, Logger
from missedd.store.actions.operator_changes import Settled, resend, resend_parked, settle
from missedd.store.actions.pauses import pause, resume
from missedd.store.actions.quarantine import Released, release
from missedd.store.actions.rows import Wake
from missedd.store.db.database import Database
from missedd.store.people.consents import unsubscribe
from missedd.store.people.conversions import convert
from missedd.store.people.erase import erase
from missedd.store.people.leads import Marked, mark
from missedd.store.people.suppressions import suppress, unsuppress
from missedd.store.reads.audit import note
from missedd.store.store import Store


class Operator:
    def __init__(self, store: Store, policy: Policy, clock: Clock, log: Logger, timers: Timers) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._log = log
        self._timers = timers

    def _acted(self, by: By, deed: Deed, **fields: object) -> None:
        self._log.info(Event.OPERATOR_ACTED, deed=deed, source=by.source, peer=by.peer, **fields)

    async def suppress(self, by: By, number: str, reason: str, until: datetime | None) -> None:
        now = self._clock.now()

        async def unit(db: Database) -> None:
            await suppress(db, number, reason, by.source, now, until)
            await note(db, by, Deed.NUMBER_SUPPRESSED, number, now, reason=reason, until=to_iso(until))

        await self._store.write(unit)
        self._acted(by, Deed.NUMBER_SUPPRESSED, number=number)

    async def unsuppress(self, by: By, number: str) -> bool:
        """False if the number was not suppressed."""
        now = self._clock.now()

        async def unit(db: Database) -> bool:
            was_there = await unsuppress(db, number)
            if was_there:
                await note(db, by, Deed.NUMBER_RELEASED, number, now)
            return was_there

        was_there = await self._store.write(unit)
        if was_there:
            self._acted(by, Deed.NUMBER_RELEASED, number=number)
        return was_there

    async def unsubscribe(self, by: By, name: str, number: str) -> bool:
        """Take a number off a list; False if it was not on it."""
        now = self._clock.now()

        async def unit(db: Database) -> bool:
            was_there = await unsubscribe(db, name, number, by.source, now)
            if was_there:
                await note(db, by, Deed.NUMBER_UNSUBSCRIBED, number, now, list=name)
            return was_there

        was_there = await self._store.write(unit)
        if was_there:
            self._acted(by, Deed.NUMBER_UNSUBSCRIBED, number=number, list=name)
        return was_there

    async def erase(self, by: By, number: str) -> Erased | NotErased:
        """Put a pseudonym in the place of a number; the record of that has the pseudonym only."""
        now = self._clock.now()

        async def unit(db: Database) -> Erased | NotErased:
            erased = await erase(db, number, now, Cause.OPERATOR)
            if isinstance(erased, Erased):
                kept = {"suppressions": erased.suppressions, "consents": erased.consents}
                await note(db, by, Deed.NUMBER_ERASED, erased.pseudonym, now, **kept)
            return erased

        erased = await self._store.write(unit, aside=True)
        if isinstance(erased, Erased):
            self._acted(by, Deed.NUMBER_ERASED, pseudonym=erased.pseudonym)
        return erased

    async def mark_lead(self, by: By, lead_id: int, status: LeadStatus) -> bool:
        """Keep what an operator says of a lead; False if there is no such lead."""
        now = self._clock.now()

        async def unit(db: Database) -> Marked | None:
            marked = await mark(db, lead_id, status, now)
            if marked is not None and marked.before is not status:
                await note(db, by, Deed.LEAD_MARKED, lead_id, now, before=marked.before, status=status)
            return marked

        marked = await self._store.write(unit)
        if marked is not None and marked.before is not status:
            self._acted(by, Deed.LEAD_MARKED, lead=lead_id, status=status)
        return marked is not None

    async def convert(self, by: By, said: Sequence[SaidConversion], *, dry_run: bool) -> list[Answer]:
        """Keep what the business says its callers became; an answer for each, in order."""
        now = self._clock.now()

        async def unit(db: Database) -> list[Answer]:
            answers = await convert(db, said, now, dry_run=dry_run)
            if not dry_run and (new := _recorded(answers)):
                ids = {"first": new[0]["id"], "last": new[-1]["id"]}
                await note(db, by, Deed.CONVERSIONS_RECORDED, new[0]["reference"], now, count=len(new), **ids)
            return answers

        answers = await self._store.write(unit, aside=True)
        if not dry_run and (new := _recorded(answers)):
            self._acted(by, Deed.CONVERSIONS_RECORDED, count=len(new))
        return answers

    async def resend(self, by: By, action_id: int) -> int | None:
        """Send a parked webhook again; the new action's id, or None if there is no such webhook."""
        now = self._clock.now()

        async def unit(db: Database) -> Wake | None:
            wake = await resend(db, action_id, now)
            if wake is not None:
                await note(db, by, Deed.WEBHOOK_RESENT, action_id, now, action=wake.action_id)
            return wake

        def follow(wake: Wake | None) -> None:
            if wake is not None:
                self._timers.add([wake])
                self._acted(by, Deed.WEBHOOK_RESENT, action=action_id)

        wake = await self._store.write(unit, follow)
        return None if wake is None else wake.action_id

    async def resend_parked(self, by: By) -> int:
        """Send the latest parked webhooks again; how many went out, 0 once none is left."""
        now = self._clock.now()

        async def unit(db: Database) -> list[Wake]:
            wakes = await resend_parked(db, now)
            if wakes:
                await note(db, by, Deed.WEBHOOK_RESENT, "parked", now, actions=len(wakes))
            return wakes

        def follow(wakes: list[Wake]) -> None:
            if wakes:
                self._timers.add(wakes)
                self._acted(by, Deed.WEBHOOK_RESENT, actions=len(wakes))

        wakes = await self._store.write(unit, follow)
        return len(wakes)

    async def settle(self, by: By, action_id: int, outcome: Outcome, remark: str | None) -> Settlement:
        """Keep what an operator found out about an action that ended as `unknown`, or is still looked for."""
        now = self._clock.now()

        async def unit(db: Database) -> Settled:
            settled = await settle(db, action_id, outcome, remark, self._policy, now)
            if settled.verdict is Settlement.SETTLED:
                await note(db, by, Deed.ACTION_SETTLED, action_id, now, outcome=outcome, note=remark)
            return settled

        settled = await self._store.write(unit)
        if settled.verdict is Settlement.SETTLED:
            self._acted(by, Deed.ACTION_SETTLED, action=action_id, outcome=outcome)
            self._timers.add(settled.wakes)
            note_cancelled(self._log, settled.cancelled)
        return settled.verdict

    async def pause(self, by: By, campaign: str, until: datetime | None, why: str) -> Pause:
        """Let nobody be called or texted for a campaign, until an instant or until `resume`."""
        now = self._clock.now()
        begun = Pause(campaign, now, until, why, by)

        async def unit(db: Database) -> list[Wake]:
            await note(db, by, Deed.CAMPAIGN_PAUSED, campaign, now, why=why, until=to_iso(until))
            return await pause(db, begun)

        def follow(wakes: list[Wake]) -> None:
            self._timers.add(wakes)
            self._acted(by, Deed.CAMPAIGN_PAUSED, campaign=campaign, until=to_iso(until))

        await self._store.write(unit, follow, aside=True)
        return begun

    async def resume(self, by: By, campaign: str) -> bool:
        """End a campaign's pause; False if it is not paused."""
        now = self._clock.now()

        async def unit(db: Database) -> list[Wake] | None:
            wakes = await resume(db, campaign, now)
            if wakes is not None:
                await note(db, by, Deed.CAMPAIGN_RESUMED, campaign, now, actions=len(wakes))
            return wakes

        def follow(wakes: list[Wake] | None) -> None:
            if wakes is not None:
                self._timers.add(wakes)
                self._acted(by, Deed.CAMPAIGN_RESUMED, campaign=campaign, actions=len(wakes))

        return await self._store.write(unit, follow, aside=True) is not None

    async def release(self, by: By, *, drop: bool) -> int:
        """End the quarantine after a restore; how many actions were released, or dropped."""
        now = self._clock.now()

        async def unit(db: Database) -> Released:
            released = await release(db, now, drop=drop)
            await note(db, by, Deed.QUARANTINE_ENDED, "database", now, actions=released.actions, drop=drop)
            return released

        def follow(released: Released) -> None:
            self._timers.add(released.wakes)
            self._acted(by, Deed.QUARANTINE_ENDED)
            self._log.warning(Event.STORE_RELEASED, actions=released.actions, dropped=drop)

        return (await self._store.write(unit, follow, aside=True)).actions


def _recorded(answers: Sequence[Answer]) -> list[Mapping[str, Any]]:
    """The conversions that were not known before."""
    return [each.conversion for each in answers if isinstance(each, KeptConversion) and not each.is_repeated]
