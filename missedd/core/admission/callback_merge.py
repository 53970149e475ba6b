"""A campaign owes a caller at most one callback that is not placed yet: the one for their latest call.

    waiting                            new                                remains
    for a call of 10:00, due 10:00:30  for a call of 10:06, due 10:06:30  the new one, due 10:00:30
    a retry due 10:05                  for a call of 10:04, due 10:04:30  the new one, due 10:04:30
    for a call of 10:06                a retry of the one of 10:00        the waiting one, unchanged

The callback that remains expires by its own call, and its retries begin from the start. It takes over the
other callback's place under the cap. The other one closes and names the one that remains.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from missedd.base.value_type import fast_dataclass
from missedd.core.model import Outcome, PlannedAction, State
from missedd.core.reasons import Reason


@fast_dataclass(frozen=True, slots=True)
class PendingCallback:
    """A callback that waits. `chain_at` is the time of the earliest call that it answers (UTC)."""

    action_id: int
    called_at: datetime
    due_at: datetime
    chain_at: datetime
    is_retry: bool


@fast_dataclass(frozen=True, slots=True)
class CallbackReplaced:
    """The waiting callback `action_id` closes; `replacement_id` takes its place."""

    action_id: int
    replacement_id: int


@fast_dataclass(frozen=True, slots=True)
class CallbackMovedUp:
    """The waiting callback `action_id` remains. It is now due at `due_at` and answers calls since
    `chain_at`."""

    action_id: int
    due_at: datetime
    chain_at: datetime


def merge_callbacks(
    planned: PlannedAction, action_id: int, called_at: datetime, pending: PendingCallback | None
) -> tuple[PlannedAction, CallbackReplaced | CallbackMovedUp | None]:
    """Decide between a new callback and the one that waits already.

    `planned` is the new callback, with the id `action_id`, for the call of `called_at`. The result is the new
    callback as it is to be stored, and the change to the waiting one. If its own gates closed the new
    callback, the waiting one stays as it is.
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
        # That call was called back already, so the caller has not been waiting since then.
        return planned
    chain_at = min(waiting.chain_at, planned.chain_at or waiting.chain_at)
    if waiting.due_at >= planned.due_at:
        return replace(planned, chain_at=chain_at)
    # The waiting callback was due before the business closes, so the new one goes at that time too,
    # instead of at the next opening. A pause holds both.
    state = State.PLANNED if planned.next_check_at is None else planned.state
    reason = planned.reason if state is planned.state else Reason.OWED
    return replace(planned, due_at=waiting.due_at, chain_at=chain_at, state=state, reason=reason)
