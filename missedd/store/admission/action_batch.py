"""The actions that a batch of calls leads to, and what they change in callbacks that are waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from missedd.base.clock import to_us
from missedd.core.admission.callback_merge import CallbackReplaced
from missedd.core.admission.caller_history import CallerHistory
from missedd.core.model import Admission, InboundCall, Kind, State
from missedd.store.actions.owed_callback import PendingCallbackBatch, save_callback_changes
from missedd.store.actions.rows import NewAction, Timer, insert_actions, lane_of
from missedd.store.db.database import Database
from missedd.store.people.leads import LeadKey, update_callback_outcomes


@dataclass(slots=True)
class ActionBatch:
    """The actions that a batch inserts."""

    ids: Iterator[int]
    """Ids for them."""
    received_at: datetime
    moved_up: tuple[Timer, ...] = ()
    """Once saved: the new timers of callbacks that were waiting before the batch and are due earlier now."""
    _new: list[NewAction] = field(default_factory=list)
    _callbacks: PendingCallbackBatch = field(default_factory=PendingCallbackBatch)

    @property
    def has_changed_callbacks(self) -> bool:
        """Whether the batch replaced or moved a callback that was waiting."""
        return bool(self._callbacks.changes)

    @property
    def replaced_ids(self) -> list[int]:
        """The ids of the callbacks that were waiting and are closed now, as newer ones replaced them."""
        return [
            change.action_id for change in self._callbacks.changes if isinstance(change, CallbackReplaced)
        ]

    def record(
        self, admission: Admission, call: InboundCall, call_id: int, history: CallerHistory
    ) -> tuple[Timer, ...]:
        """Number the actions of a decided call; returns the timers of those that are not done."""
        timers: list[Timer] = []
        for planned in admission.actions:
            if call.caller is None:
                raise AssertionError("a call without a caller's number leads to no action")
            action_id = next(self.ids)
            if planned.kind is Kind.CALLBACK and planned.state is not State.DONE:
                planned = self._callbacks.merge(call.caller, history, admission, planned, action_id)
            self._new.append(NewAction(action_id, call_id, call.caller, admission, planned))
            if planned.state is not State.DONE:
                lane = lane_of(planned.kind, planned.state)
                timers.append(Timer(to_us(planned.wake_at), action_id, lane))
        return tuple(timers)

    async def save(self, db: Database) -> None:
        """Insert the actions, and change the callbacks that were waiting."""
        await insert_actions(db, self._new, self.received_at)
        self.moved_up = await save_callback_changes(db, self._callbacks.changes, self.received_at)

    async def save_callback_outcomes(self, db: Database) -> None:
        """Write to the leads how callbacks ended that a gate closed when planned, or that were replaced."""
        leads = [*self._closed_when_planned(), *self._callbacks.changed_leads]
        await update_callback_outcomes(db, leads, self.received_at)

    def _closed_when_planned(self) -> Iterator[LeadKey]:
        for new in self._new:
            if new.planned.kind is Kind.CALLBACK and new.planned.state is State.DONE:
                yield new.admission.campaign or "", new.number
