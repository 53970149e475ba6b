"""One batch of calls: loaded, decided call by call in memory, and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Self

from missedd.base.clock import to_us
from missedd.base.value_type import fast_dataclass
from missedd.core.admission.caller_history import CallerHistory, KnownCall
from missedd.core.admission.decide import decide
from missedd.core.admission.pauses import Pause
from missedd.core.model import Admission, InboundCall, Kind, Verdict
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.pauses import pauses_in_force
from missedd.store.admission.action_batch import ActionBatch
from missedd.store.admission.admitted_call import AdmittedCall
from missedd.store.admission.batch_effect import BatchEffect
from missedd.store.admission.call_batch import CallBatch, load_known_calls, match_own_callbacks
from missedd.store.admission.caller_history import CallerHistoryBatch
from missedd.store.db.database import Database
from missedd.store.people.consents import ConsentBatch
from missedd.store.people.leads import LeadBatch
from missedd.store.people.verifications import VerificationBatch
from missedd.store.polls.votes import VoteBatch

_MAX_ACTIONS: Final = len(Kind) + 1
"""The most actions of one call: one of each kind, and the webhook that reports a verification."""


@fast_dataclass(frozen=True, slots=True)
class AdmissionBatch:
    """What a batch reads before its first decision, and what its decisions will write."""

    policy: Policy
    received_at: datetime
    clock_ahead: timedelta
    pauses: Mapping[str, Pause]
    own_callbacks: Mapping[str, int]
    """Our own callbacks that requests of the batch are about: action ids by CallSid."""
    calls: CallBatch
    actions: ActionBatch
    callers: CallerHistoryBatch
    leads: LeadBatch
    consents: ConsentBatch
    verifications: VerificationBatch
    votes: VoteBatch
    effects: tuple[BatchEffect, ...]
    """Those of the five above that concern an action of any campaign, in the order in which they record a
    call."""

    @classmethod
    async def load(
        cls,
        db: Database,
        calls: Sequence[InboundCall],
        policy: Policy,
        received_at: datetime,
        clock_ahead: timedelta,
    ) -> Self:
        source = (db, calls, policy, received_at)
        known_calls = await load_known_calls(db, calls)
        own_callbacks = await match_own_callbacks(db, calls)
        callers = await CallerHistoryBatch.load(*source)
        consents = await ConsentBatch.load(*source)
        pauses = await pauses_in_force(db, received_at)
        verifications = await VerificationBatch.load(*source)
        votes = await VoteBatch.load(*source)
        leads = await LeadBatch.load(*source)
        effects: tuple[BatchEffect, ...] = (leads, consents, verifications, votes, callers)
        return cls(
            policy,
            received_at,
            clock_ahead,
            pauses,
            own_callbacks,
            CallBatch(known_calls, await db.engine.new_ids(db, "calls", len(calls)), to_us(received_at)),
            ActionBatch(await db.engine.new_ids(db, "actions", len(calls) * _MAX_ACTIONS), received_at),
            callers,
            leads,
            consents,
            verifications,
            votes,
            tuple(effect for effect in effects if not policy.action_kinds.isdisjoint(effect.kinds)),
        )

    def decide(self, call: InboundCall) -> AdmittedCall:
        """Decide the next call of the batch, and record in memory what there is to write."""
        history = self.callers.histories[call.caller or ""]
        known_id, known = self.calls.known.get(call.call_sid, (None, None))
        admission = self._decide(call, known, history)
        own_callback_id = self.own_callbacks.get(call.call_sid)
        if admission.verdict is Verdict.REDELIVERED:
            self.calls.count_redelivery(call)
            return AdmittedCall(call, admission, (), own_callback_id)
        if known is not None and _is_late_answer(admission, known):
            history.forget_accepted(admission)
            history.record_conversation(admission)
            self.calls.mark_answered(call.call_sid)
            return AdmittedCall(call, admission, (), own_callback_id, late_answered_call_id=known_id)
        history.record_accepted(admission)
        if admission.reason is Reason.CONVERSATION:
            history.record_conversation(admission)
        call_id = self.calls.record(call, admission)
        for effect in self.effects:
            admission = effect.record(admission, call, call_id)
        timers = self.actions.record(admission, call, call_id, history)
        return AdmittedCall(call, admission, timers, own_callback_id)

    def _decide(self, call: InboundCall, known: KnownCall | None, history: CallerHistory) -> Admission:
        context = (history, self.received_at, self.pauses, self.clock_ahead)
        admission = decide(call, self.policy, known, *context)
        if history.calls_refused_at and self.callers.lift_call_refusal(admission, call, history):
            # The first decision still took the caller's number as refusing our calls.
            return decide(call, self.policy, None, *context)
        return admission

    async def save(self, db: Database) -> None:
        """Write everything that the decisions changed, in one order for every batch."""
        await self.calls.save(db)
        await self.actions.save(db)
        await self.calls.save_redeliveries(db)
        await self.leads.save(db)
        await self.consents.save(db)
        await self.verifications.save(db)
        await self.callers.save(db)
        await self.actions.save_callback_outcomes(db)
        await self.votes.save(db)


def _is_late_answer(admission: Admission, known: KnownCall) -> bool:
    """Whether somebody took a call that had been decided as missed."""
    return admission.verdict is Verdict.NOT_MISSED and known.verdict is not Verdict.NOT_MISSED
