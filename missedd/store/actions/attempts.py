"""Writing down what came of an attempt."""

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
from missedd.store.actions.claims import close_action
from missedd.store.actions.concurrent_calls import is_call_end_awaited, shorten_busy_until, wake_after_call
from missedd.store.actions.owed_callback import close_all_but_latest
from missedd.store.actions.rows import Timer, fetch_actions, lane_of
from missedd.store.db.database import Database
from missedd.store.people.suppressions import suppress_after_refusal


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """An answer, translated into what it does to the action.

    `result` is `accepted`, `refused` or `unknown`; `outcome` is set where `step` ends the action,
    `wake_at` where it goes on. `suppresses_number` is a refusal by the register, which is remembered.
    `hold_reason` is
    why the action's lane is held, where it is held with that.
    """

    event: ActionEvent
    result: str
    code: str
    reason: Reason
    message: str = ""
    provider_sid: str | None = None
    outcome: Outcome | None = None
    wake_at: datetime | None = None
    suppresses_number: bool = False
    hold_reason: Reason | None = None


async def record_attempt_result(
    db: Database, action_id: int, attempt: int, result: AttemptResult, policy: Policy, now: datetime
) -> tuple[Timer, ...]:
    """Complete an attempt and move its action on; returns what to wake for.

    A status report may have overtaken the answer and finished the action: then only the attempt
    is completed. A call that surely was not made keeps nobody waiting any longer.
    """
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
    (action,) = await fetch_actions(db, [action_id])
    if result.provider_sid and action.provider_sid is None:
        await db.execute("UPDATE actions SET provider_sid = ? WHERE id = ?", (result.provider_sid, action_id))
    if result.suppresses_number:
        # The register of those who want no calls, or no advertising: it says nothing of anything else.
        bar = BLOCKS_CALLS if action.kind is Kind.CALLBACK else BLOCKS_PROMOTIONAL_SMS
        await suppress_after_refusal(db, action.number, bar, result.reason, now)
    follows = step(action.state, result.event)
    if follows is None:
        return ()
    if result.result == "refused":
        # It surely reached nobody, so it does not count against the caller's cap.
        await db.execute("UPDATE actions SET placed_at = NULL WHERE id = ?", (action_id,))
    if result.event is ActionEvent.ACCEPT and action.kind is Kind.CALLBACK:
        await shorten_busy_until(db, action, policy, now)
    if follows is State.DONE:
        if result.outcome is None:
            raise AssertionError(f"{result.event} ends an action but names no outcome")
        await close_action(db, action_id, result.outcome, result.reason, now, code=result.code)
        return await wake_after_call(db, action, policy, now)
    wake_at = check_at_expiry(action.expires_at) if follows is State.HELD else result.wake_at or now
    if follows is State.PLACED and await is_call_end_awaited(db, action, policy):
        wake_at = min(
            wake_at, next_early_lookup(action.placed_at or now, policy.ring_timeout(action.campaign), now)
        )
    wake_us = to_us(wake_at)
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, wake_at = ?, due_at = iif(?, ?, due_at) WHERE id = ?",
        (
            follows,
            result.hold_reason or result.reason,
            wake_us,
            result.event is ActionEvent.POSTPONE,
            wake_us,
            action_id,
        ),
    )
    woken: tuple[Timer, ...] = ()
    if follows in (State.PLANNED, State.HELD) and action.kind is Kind.CALLBACK:
        # It waits again, and the caller may have rung while its request was out.
        woken = await close_all_but_latest(db, [(action.campaign, action.number)], now)
        woken += await wake_after_call(db, action, policy, now)
    return (Timer(wake_us, action_id, lane_of(action.kind, follows)), *woken)


async def recover_in_flight(db: Database, now: datetime) -> int:
    """Find the attempts that a stop or a crash left in flight, and say how many there were.

    Their requests may have had their effect: calls and SMS become look-ups, never new requests.
    A webhook carries an id by which the application knows it again, so it is simply sent again.
    """
    rows = await db.fetch_all(
        # Said twice over, so that the index of what is open can be used.
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
            "UPDATE actions SET state = ?, reason = ?, wake_at = ?, due_at = iif(?, ?, due_at) WHERE id = ?",
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
    """Find open actions that nothing would ever wake for, and let them be looked at; how many there were.

    Only a mistake of ours leaves one, once `recover_in_flight` has been there; the quarantine alone holds
    without
    an instant.
    """
    rows = await db.fetch_all(
        """UPDATE actions SET wake_at = iif(state IN ('planned', 'held'), due_at, ?)
           WHERE state != 'done' AND wake_at IS NULL AND NOT (state = 'held' AND reason = ?) RETURNING 1""",
        (to_us(now), Reason.QUARANTINED),
    )
    return len(rows)
