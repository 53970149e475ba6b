"""The one callback that a campaign owes a person: find it, replace it by a newer one, owe it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from missedd.base.clock import from_us, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.callback_merge import (
    CallbackMovedUp,
    CallbackReplaced,
    PendingCallback,
    merge_callbacks,
)
from missedd.core.admission.caller_history import CallerHistory
from missedd.core.model import Admission, Kind, Outcome, PlannedAction, State, Verdict
from missedd.core.reasons import Reason
from missedd.store.actions.rows import (
    ActionRow,
    NewAction,
    Timer,
    fetch_actions,
    insert_actions,
    lane_of,
)
from missedd.store.db.database import Database
from missedd.store.people.leads import LeadKey, update_callback_outcomes

_REPLACE: Final = """
UPDATE actions SET state = 'done', outcome = ?, reason = ?, wake_at = NULL, closed_at = ?,
                   details = json_set(details, '$.replaced_by', ?)
WHERE id = ?"""
# A callback held for the end of a pause, a call or a provider's failure keeps its timer. A quarantined
# callback has none, and min() keeps it NULL.
_BRING_FORWARD: Final = """
UPDATE actions SET due_at = min(due_at, ?), chain_at = nullif(?, base_at),
    wake_at = CASE WHEN reason IN (
        'campaign-paused', 'caller-being-rung', 'agent-busy', 'calls-at-once', 'channels-busy',
        'provider-unreachable', 'provider-auth', 'account-problem') THEN wake_at ELSE min(wake_at, ?) END
WHERE id = ? RETURNING wake_at, state"""

# The callbacks that ?1 stands for: those that it replaced, those that these had replaced if somebody has
# taken their calls since, and, if ?1 itself is owed again, those that it stood for before.
_LATEST_REPLACED: Final = """
WITH RECURSIVE gone(id) AS (
    SELECT CAST(?1 AS BIGINT)
    UNION
    SELECT a.id FROM gone JOIN actions a ON a.number = ?2 AND a.kind = 'callback'
    JOIN calls c ON c.id = a.call_id
    WHERE a.id = (SELECT last.origin_id FROM actions last WHERE last.id = gone.id AND last.retry_index = 0)
       OR a.details ->> 'replaced_by' = CAST(gone.id AS TEXT) AND c.reached_at IS NOT NULL)
SELECT a.id FROM actions a JOIN calls c ON c.id = a.call_id
WHERE a.number = ?2 AND a.kind = 'callback' AND a.retry_index = 0 AND c.reached_at IS NULL
  AND a.details ->> 'replaced_by' IN (SELECT CAST(id AS TEXT) FROM gone)
ORDER BY c.called_at DESC, a.id DESC LIMIT 1"""


async def load_pending_callback(db: Database, campaign: str, number: str) -> PendingCallback | None:
    """The planned or held callback of a campaign to a person; there is at most one."""
    rows = await db.fetch_all(
        # The plus keeps the index by campaign out of the plan: a caller has far fewer callbacks.
        """SELECT a.id, c.called_at, a.due_at, coalesce(a.chain_at, c.called_at), a.retry_index
           FROM actions a JOIN calls c ON c.id = a.call_id
           WHERE a.number = ? AND a.kind = 'callback' AND +a.campaign = ? AND a.state IN ('planned', 'held')
           ORDER BY c.called_at DESC, a.id DESC LIMIT 1""",
        (number, campaign),
    )
    return parse_pending_callback(rows[0]) if rows else None


def parse_pending_callback(row: Sequence[int]) -> PendingCallback:
    """Parse a row (id, called_at, due_at, chain_at, retry_index); instants in microseconds since 1970 UTC."""
    action_id, called_us, due_us, chain_us, retry_index = row
    return PendingCallback(action_id, from_us(called_us), from_us(due_us), from_us(chain_us), retry_index > 0)


async def add_callback(
    db: Database,
    planned: PlannedAction,
    previous: ActionRow,
    call_id: int,
    origin_id: int | None,
    now: datetime,
) -> tuple[Timer, ...]:
    """Insert a callback that follows `previous`, for the call `call_id`, as the only one that waits.

    Returns the timers to set. `origin_id` is the action of which the new one is a retry, if it is one.
    """
    ((called_us,),) = await db.fetch_all("SELECT called_at FROM calls WHERE id = ?", (call_id,))
    pending = await load_pending_callback(db, previous.campaign, previous.number)
    new_id = next(await db.engine.new_ids(db, "actions", 1))
    planned, change = merge_callbacks(planned, new_id, from_us(called_us), pending)
    admission = Admission(
        Verdict.ACCEPTED, planned.reason, previous.campaign, previous.exophone, planned.base_at, (planned,)
    )
    await insert_actions(db, [NewAction(new_id, call_id, previous.number, admission, planned)], now)
    if origin_id is not None:
        await db.execute("UPDATE actions SET origin_id = ? WHERE id = ?", (origin_id, new_id))
    timers = await save_callback_changes(db, [change] if change else [], now)
    await update_callback_outcomes(db, [(previous.campaign, previous.number)], now)
    if planned.state is State.DONE:
        return timers
    return (*timers, Timer(to_us(planned.wake_at), new_id, lane_of(planned.kind, planned.state)))


async def restore_replaced_callbacks(
    db: Database, cancelled: Iterable[ActionRow], now: datetime
) -> tuple[Timer, ...]:
    """Owe the callbacks again that these cancelled ones had replaced; returns the timers to set.

    For example a callback for a call of 10:06 replaced one for a call of 10:00. If it turns out that the call
    of 10:06 went to voicemail, the callback for the call of 10:00 is still owed.
    """
    timers: tuple[Timer, ...] = ()
    for action in cancelled:
        rows = await db.fetch_all(_LATEST_REPLACED, (action.id, action.number))
        for replaced in await fetch_actions(db, [action_id for (action_id,) in rows]):
            planned = PlannedAction(
                kind=Kind.CALLBACK,
                state=State.PLANNED,
                base_at=replaced.base_at,
                due_at=replaced.due_at,
                expires_at=replaced.expires_at,
                reason=Reason.OWED,
                plan=replaced.plan,
                chain_at=replaced.chain_at,
            )
            timers += await add_callback(db, planned, replaced, replaced.call_id, replaced.id, now)
    return timers


class PendingCallbackBatch:
    """What a batch of calls changes in the pending callbacks of its callers, those of the batch included."""

    def __init__(self) -> None:
        self.changes: list[CallbackReplaced | CallbackMovedUp] = []
        self.changed_leads: list[LeadKey] = []
        """The people whose pending callbacks were changed."""

    def merge(
        self,
        caller: str,
        history: CallerHistory,
        admission: Admission,
        planned: PlannedAction,
        action_id: int,
    ) -> PlannedAction:
        """Merge the callback of a call with the pending one of its caller; returns what is to be inserted."""
        name = admission.campaign or ""
        pending = history.pending_callbacks.get(name)
        planned, change = merge_callbacks(planned, action_id, admission.called_at, pending)
        if isinstance(change, CallbackMovedUp) and pending is not None:
            history.pending_callbacks[name] = replace(pending, due_at=change.due_at, chain_at=change.chain_at)
        if change is not None:
            self.changes.append(change)
            self.changed_leads.append((name, caller))
        if planned.state is not State.DONE:
            chain_at = planned.chain_at or admission.called_at
            history.pending_callbacks[name] = PendingCallback(
                action_id, admission.called_at, planned.due_at, chain_at, is_retry=False
            )
        return planned


async def save_callback_changes(
    db: Database, changes: Iterable[CallbackReplaced | CallbackMovedUp], now: datetime
) -> tuple[Timer, ...]:
    """Close replaced callbacks and move up those that remain; returns the timers of the latter."""
    timers: list[Timer] = []
    for change in changes:
        if isinstance(change, CallbackReplaced):
            step(State.PLANNED, ActionEvent.CLOSE)
            parameters = (
                Outcome.DROPPED,
                Reason.ALREADY_OWED,
                to_us(now),
                str(change.replacement_id),
                change.action_id,
            )
            await db.execute(_REPLACE, parameters)
        else:
            due_us, chain_us = to_us(change.due_at), to_us(change.chain_at)
            rows = await db.fetch_all(_BRING_FORWARD, (due_us, chain_us, due_us, change.action_id))
            timers += [
                Timer(wake_us, change.action_id, lane_of(Kind.CALLBACK, State(state)))
                for wake_us, state in rows
                if wake_us is not None
            ]
    return tuple(timers)


async def close_all_but_latest(db: Database, leads: Iterable[LeadKey], now: datetime) -> tuple[Timer, ...]:
    """If several callbacks wait for one person, close all but the latest call's; returns the timers to set.

    After a restore, callbacks from before the restore may wait beside those of newer calls. And a callback
    whose request was refused waits again, beside the callback of a call that came in meanwhile.
    """
    timers: tuple[Timer, ...] = ()
    changed: list[LeadKey] = []
    for campaign, number in sorted(set(leads)):
        rows = await db.fetch_all(
            """SELECT a.id, c.called_at, a.due_at, coalesce(a.chain_at, c.called_at), a.retry_index
               FROM actions a JOIN calls c ON c.id = a.call_id
               WHERE a.number = ? AND a.kind = 'callback' AND +a.campaign = ?
                 AND a.state IN ('planned', 'held') ORDER BY c.called_at DESC, a.retry_index, a.id DESC""",
            (number, campaign),
        )
        remains, *others = map(parse_pending_callback, rows)
        if not others:
            continue
        changed.append((campaign, number))
        firsts = [callback for callback in others if not callback.is_retry]
        changes: list[CallbackReplaced | CallbackMovedUp] = [
            CallbackReplaced(callback.action_id, remains.action_id) for callback in others
        ]
        if firsts:
            due_at = min(callback.due_at for callback in (remains, *firsts))
            chain_at = min(callback.chain_at for callback in (remains, *firsts))
            changes.append(CallbackMovedUp(remains.action_id, due_at, chain_at))
        timers += await save_callback_changes(db, changes, now)
    await update_callback_outcomes(db, changed, now)
    return timers
