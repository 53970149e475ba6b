"""Record the result of an attempt, or find the attempts that have none after a stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missedd.base.clock import to_us
from missedd.core.actions.backoff import lookup_backoff, next_early_lookup
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.pauses import check_at_expiry
from missedd.core.model import Kind, Outcome, State
from missedd.core.people.suppression import BLOCKS_CALLS, BLOCKS_PROMOTIONAL_SMS
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_transitions import close_action
from missedd.store.actions.concurrent_calls import is_call_end_awaited, shorten_busy_until, wake_after_call
from missedd.store.actions.owed_callback import close_all_but_latest
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions, lane_of
from missedd.store.db.database import Database
from missedd.store.people.suppressions import suppress_after_refusal


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The provider's answer to a request, translated into what it does to the action."""

    event: ActionEvent
    result: str
    """`accepted`, `refused` or `unknown`."""
    code: str
    reason: Reason
    message: str = ""
    provider_sid: str | None = None
    outcome: Outcome | None = None
    """Set where `event` ends the action."""
    wake_at: datetime | None = None
    """Set where the action goes on: when to check it next, in UTC."""
    suppresses_number: bool = False
    """Whether the register refused the number, which is remembered for later actions."""
    hold_reason: Reason | None = None
    """Why the answer holds the action's whole lane, if it does."""


async def record_attempt_result(
    db: Database, action_id: int, attempt: int, result: AttemptResult, policy: Policy, now: datetime
) -> tuple[Timer, ...]:
    """Complete an attempt and move its action on; returns the timers to set.

    A status report may arrive before the answer and finish the action. Then only the attempt is completed.
    A call that was certainly not made keeps nobody waiting any longer.
    """
    await _complete_attempt(db, action_id, attempt, result, now)
    (action,) = await fetch_actions(db, [action_id])
    if result.provider_sid and action.provider_sid is None:
        await db.execute("UPDATE actions SET provider_sid = ? WHERE id = ?", (result.provider_sid, action_id))
    if result.suppresses_number:
        # The number is in the register of those who want no calls, or no advertising: it bars nothing else.
        restriction = BLOCKS_CALLS if action.kind is Kind.CALLBACK else BLOCKS_PROMOTIONAL_SMS
        await suppress_after_refusal(db, action.number, restriction, result.reason, now)
    state = step(action.state, result.event)
    if state is None:
        return ()
    if result.result == "refused":
        # The request certainly reached nobody, so it does not count against the caller's cap.
        await db.execute("UPDATE actions SET placed_at = NULL WHERE id = ?", (action_id,))
    if result.event is ActionEvent.ACCEPT and action.kind is Kind.CALLBACK:
        await shorten_busy_until(db, action, policy, now)
    if state is State.DONE:
        if result.outcome is None:
            raise AssertionError(f"{result.event} ends an action but names no outcome")
        await close_action(db, action_id, result.outcome, result.reason, now, code=result.code)
        return await wake_after_call(db, action, policy, now)
    return await _continue_action(db, action, state, result, policy, now)


async def _complete_attempt(
    db: Database, action_id: int, attempt: int, result: AttemptResult, now: datetime
) -> None:
    await db.execute(
        """UPDATE attempts
           SET finished_at = ?, result = ?, code = ?, reason = ?, provider_sid = ?, message = ?
           WHERE action_id = ? AND number = ?""",
        (
            to_us(now),
            result.result,
            result.code,
            result.reason,
            result.provider_sid,
            result.message or None,
            action_id,
            attempt,
        ),
    )


async def _continue_action(
    db: Database, action: ActionRow, state: State, result: AttemptResult, policy: Policy, now: datetime
) -> tuple[Timer, ...]:
    """Move an action that is not done to `state`, and set when it is checked next."""
    wake_at = check_at_expiry(action.expires_at) if state is State.HELD else result.wake_at or now
    if state is State.PLACED and await is_call_end_awaited(db, action, policy):
        ring_timeout = policy.ring_timeout(action.campaign)
        wake_at = min(wake_at, next_early_lookup(action.placed_at or now, ring_timeout, now))
    wake_us = to_us(wake_at)
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, wake_at = ?, due_at = iif(? = 1, ?, due_at) WHERE id = ?",
        (
            state,
            result.hold_reason or result.reason,
            wake_us,
            result.event is ActionEvent.POSTPONE,
            wake_us,
            action.id,
        ),
    )
    woken: tuple[Timer, ...] = ()
    if state in (State.PLANNED, State.HELD) and action.kind is Kind.CALLBACK:
        # The callback waits again, and the caller may have called while its request was out.
        woken = await close_all_but_latest(db, [(action.campaign, action.number)], now)
        woken += await wake_after_call(db, action, policy, now)
    return (Timer(wake_us, action.id, lane_of(action.kind, state)), *woken)


async def recover_in_flight(db: Database, now: datetime) -> int:
    """Find the attempts that a stop or a crash left in flight; returns how many there were.

    Their requests may have had an effect, so calls and SMS are looked up and never requested again. A
    webhook carries an id by which the application recognises a repeat, so it is simply sent again.
    """
    rows = await db.fetch_all(
        # `state != 'done'` repeats the condition of the partial index of open actions, so it can be used.
        """SELECT id, kind FROM actions
           WHERE state = 'attempting' AND state != 'done' AND wake_at IS NULL ORDER BY id"""
    )
    for action_id, kind in rows:
        await db.execute(
            """UPDATE attempts SET result = 'unknown', code = 'stopped', reason = ?
               WHERE action_id = ? AND result IS NULL""",
            (Reason.STOPPED_IN_FLIGHT, action_id),
        )
        event = ActionEvent.POSTPONE if kind == Kind.WEBHOOK else ActionEvent.REPLY_LOST
        wait_s = (
            0.0 if event is ActionEvent.POSTPONE else lookup_backoff(State.ATTEMPTING, Kind(kind), 0) or 0.0
        )
        wake_us = to_us(now) + int(wait_s * 1_000_000)
        await db.execute(
            """UPDATE actions SET state = ?, reason = ?, wake_at = ?, due_at = iif(? = 1, ?, due_at)
               WHERE id = ?""",
            (
                step(State.ATTEMPTING, event),
                Reason.STOPPED_IN_FLIGHT,
                wake_us,
                event is ActionEvent.POSTPONE,
                wake_us,
                action_id,
            ),
        )
    return len(rows)


async def repair_missing_timers(db: Database, now: datetime) -> int:
    """Set a timer for open actions that have none; returns how many there were.

    Once `recover_in_flight` has run, only a bug leaves such an action. Actions in quarantine are exempt:
    they alone wait without a timer.
    """
    rows = await db.fetch_all(
        """UPDATE actions SET wake_at = iif(state IN ('planned', 'held'), due_at, ?)
           WHERE state != 'done' AND wake_at IS NULL AND NOT (state = 'held' AND reason = ?) RETURNING 1""",
        (to_us(now), Reason.QUARANTINED),
    )
    return len(rows)
