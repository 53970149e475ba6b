"""A campaign owes a person one callback that has not been placed: the one for their latest call.

    waiting                            arises                             remains
    for a call of 10:00, due 10:00:30  for a call of 10:06, due 10:06:30  the new one, due 10:00:30
    a retry due 10:05                  for a call of 10:04, due 10:04:30  the new one, due 10:04:30
    for a call of 10:06                a retry of the one of 10:00        the waiting one, as it is

What remains expires by its own call and begins the retries anew; the place of the other under the
cap passes on to it. The other closes and names the one that remains.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from missedd.base.value_type import fast_dataclass
from missedd.core.model import Outcome, PlannedAction, State
from missedd.core.reasons import Reason


@fast_dataclass(frozen=True, slots=True)
class PendingCallback:
    """A callback that waits. `chain_at` is when the earliest call was made that it answers."""

    action_id: int
    called_at: datetime
    due_at: datetime
    chain_at: datetime
    is_retry: bool


@fast_dataclass(frozen=True, slots=True)
class CallbackReplaced:
    """The waiting callback `action_id` closes in favour of `replacement_id`."""

    action_id: int
    replacement_id: int


@fast_dataclass(frozen=True, slots=True)
class CallbackMovedUp:
    """The waiting callback `action_id` remains, and is due at `due_at`, for calls since `chain_at`."""

    action_id: int
    due_at: datetime
    chain_at: datetime


def merge_callbacks(
    planned: PlannedAction, action_id: int, called_at: datetime, pending: PendingCallback | None
) -> tuple[PlannedAction, CallbackReplaced | CallbackMovedUp | None]:
    """What becomes of a callback that arises as `action_id` for a call, and of the one that waits already.

    Where its own gates closed the new one, the waiting one stays as it is.
    """
    if pending is None or planned.state is State.DONE:
        return planned, None
    is_retry = planned.retry_index > 0
    if called_at >= pending.called_at and not (is_retry and called_at == pending.called_at):
        return _take_over(pending, planned), CallbackReplaced(pending.action_id, action_id)
    closed = replace(
        planned,
        state=State.DONE,
        outcome=Outcome.DROPPED,
        reason=Reason.ALREADY_OWED,
        next_check_at=None,
        details={**planned.details, "replaced_by": str(pending.action_id)},
    )
    if is_retry:
        return closed, None
    return closed, CallbackMovedUp(
        pending.action_id,
        min(planned.due_at, pending.due_at),
        min(planned.chain_at or called_at, pending.chain_at),
    )


def _take_over(waiting: PendingCallback, planned: PlannedAction) -> PlannedAction:
    if waiting.is_retry:
        # Its call was called back already: nobody has waited since then.
        return planned
    chain_at = min(waiting.chain_at, planned.chain_at or waiting.chain_at)
    if waiting.due_at >= planned.due_at:
        return replace(planned, chain_at=chain_at)
    # What waits for an opening hour goes before the closing, as the other would have; a pause holds both.
    state = State.PLANNED if planned.next_check_at is None else planned.state
    reason = planned.reason if state is planned.state else Reason.OWED
    return replace(planned, due_at=waiting.due_at, chain_at=chain_at, state=state, reason=reason)
