"""The one callback that a campaign owes a person: found, put in another's place, closed for another."""

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
    next_id,
)
from missedd.store.db.database import Database
from missedd.store.people.leads import LeadKey, update_callback_outcomes

_REPLACE: Final = """
UPDATE actions SET state = 'done', outcome = ?, reason = ?, wake_at = NULL, closed_at = ?,
                   details = json_set(details, '$.replaced_by', ?)
WHERE id = ?"""
# What waits for the end of a pause, a call or a trouble goes on waiting for it; so does what is quarantined.
_BRING_FORWARD: Final = """
UPDATE actions SET due_at = min(due_at, ?), chain_at = nullif(?, base_at),
    wake_at = CASE WHEN reason IN (
        'campaign-paused', 'caller-being-rung', 'agent-busy', 'calls-at-once', 'channels-busy',
        'provider-unreachable', 'provider-auth', 'account-problem') THEN wake_at ELSE min(wake_at, ?) END
WHERE id = ? RETURNING wake_at, state"""

# A callback stands for what it replaced, for what those replaced whose calls were taken since, and, where it
# is itself owed again, for what it stood for before.
_LATEST_REPLACED: Final = """
WITH RECURSIVE gone(id) AS (
    SELECT ?1
    UNION
    SELECT a.origin_id FROM gone JOIN actions a ON a.id = gone.id
    WHERE a.origin_id IS NOT NULL AND a.retry_index = 0
    UNION
    SELECT a.id FROM gone JOIN actions a ON a.number = ?2 AND a.kind = 'callback'
        AND a.details ->> 'replaced_by' = CAST(gone.id AS TEXT)
    JOIN calls c ON c.id = a.call_id WHERE c.reached_at IS NOT NULL)
SELECT a.id FROM actions a JOIN calls c ON c.id = a.call_id
WHERE a.number = ?2 AND a.kind = 'callback' AND a.retry_index = 0 AND c.reached_at IS NULL
  AND a.details ->> 'replaced_by' IN (SELECT CAST(id AS TEXT) FROM gone)
ORDER BY c.called_at DESC, a.id DESC LIMIT 1"""


async def load_pending_callback(db: Database, campaign: str, number: str) -> PendingCallback | None:
    """The callback of a campaign to a person that waits; there is one at most."""
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
    """From (id, called_at, due_at, chain_at, retry_index)."""
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
    """Keep a callback that follows another, and see to it that it is the only one that waits."""
    ((called_us,),) = await db.fetch_all("SELECT called_at FROM calls WHERE id = ?", (call_id,))
    waiting = await load_pending_callback(db, previous.campaign, previous.number)
    new_id = await next_id(db, "actions")
    planned, change = merge_callbacks(planned, new_id, from_us(called_us), waiting)
    admission = Admission(
        Verdict.ACCEPTED, planned.reason, previous.campaign, previous.exophone, planned.base_at, (planned,)
    )
    await insert_actions(db, [NewAction(new_id, call_id, previous.number, admission, planned)], now)
    if origin_id is not None:
        await db.execute("UPDATE actions SET origin_id = ? WHERE id = ?", (origin_id, new_id))
    wakes = await save_callback_changes(db, [change] if change else [], now)
    await update_callback_outcomes(db, [(previous.campaign, previous.number)], now)
    if planned.state is State.DONE:
        return wakes
    return (*wakes, Timer(to_us(planned.wake_at), new_id, lane_of(planned.kind, planned.state)))


async def restore_replaced_callbacks(
    db: Database, cancelled: Iterable[ActionRow], now: datetime
) -> tuple[Timer, ...]:
    """Owe again what these callbacks, which are not to be, took the place of: it was for earlier calls."""
    wakes: tuple[Timer, ...] = ()
    for action in cancelled:
        rows = await db.fetch_all(_LATEST_REPLACED, (action.id, action.number))
        for replaced in await fetch_actions(db, [action_id for (action_id,) in rows]):
            again = PlannedAction(
                kind=Kind.CALLBACK,
                state=State.PLANNED,
                base_at=replaced.base_at,
                due_at=replaced.due_at,
                expires_at=replaced.expires_at,
                reason=Reason.OWED,
                plan=replaced.plan,
                chain_at=replaced.chain_at,
            )
            wakes += await add_callback(db, again, replaced, replaced.call_id, replaced.id, now)
    return wakes


class PendingCallbackBatch:
    """What a batch of calls does to the callbacks that wait for their callers, the batch's own among them."""

    def __init__(self) -> None:
        self.changes: list[CallbackReplaced | CallbackMovedUp] = []
        self.changed_leads: list[LeadKey] = []
        """Whose waiting callbacks were changed."""

    def merge(
        self,
        caller: str,
        history: CallerHistory,
        admission: Admission,
        planned: PlannedAction,
        action_id: int,
    ) -> PlannedAction:
        """The callback that a call leads to, once the one that waits for its caller is settled with it."""
        name = admission.campaign or ""
        waiting = history.pending_callbacks.get(name)
        planned, change = merge_callbacks(planned, action_id, admission.called_at, waiting)
        if isinstance(change, CallbackMovedUp) and waiting is not None:
            history.pending_callbacks[name] = replace(waiting, due_at=change.due_at, chain_at=change.chain_at)
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
    """Close what was replaced, and let what remains go earlier; returns the wakes of the latter."""
    wakes: list[Timer] = []
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
            wakes += [
                Timer(wake_us, change.action_id, lane_of(Kind.CALLBACK, State(state)))
                for wake_us, state in rows
                if wake_us is not None
            ]
    return tuple(wakes)


async def close_all_but_latest(db: Database, leads: Iterable[LeadKey], now: datetime) -> tuple[Timer, ...]:
    """Of several callbacks that wait for one person, close all but the latest call's.

    After a restore there may be some that were owed before it beside those of calls since; and one whose
    request was refused waits again, beside that of a call that came in meanwhile.
    """
    wakes: tuple[Timer, ...] = ()
    told: list[LeadKey] = []
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
        told.append((campaign, number))
        counted = [one for one in others if not one.is_retry]
        changes: list[CallbackReplaced | CallbackMovedUp] = [
            CallbackReplaced(one.action_id, remains.action_id) for one in others
        ]
        if counted:
            due_at = min(one.due_at for one in (remains, *counted))
            chain_at = min(one.chain_at for one in (remains, *counted))
            changes.append(CallbackMovedUp(remains.action_id, due_at, chain_at))
        wakes += await save_callback_changes(db, changes, now)
    await update_callback_outcomes(db, told, now)
    return wakes
