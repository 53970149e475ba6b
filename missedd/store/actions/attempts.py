"""Writing down what came of an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missedd.base.clock import to_us
from missedd.core.actions.backoff import look_wait, next_awaited_look
from missedd.core.actions.lifecycle import Step, step
from missedd.core.admission.pauses import until_expiry
from missedd.core.model import Kind, Outcome, State
from missedd.core.people.suppression import OUR_CALLS, PROMOTIONS
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.claims import close
from missedd.store.actions.concurrent_calls import call_ended, is_awaited, keep_longest_end
from missedd.store.actions.owed_callback import leave_one_owed
from missedd.store.actions.rows import Wake, fetch_actions, lane_of
from missedd.store.db.database import Database
from missedd.store.people.suppressions import learn


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """An answer, translated into what it does to the action.

    `result` is `accepted`, `refused` or `unknown`; `outcome` is set where `step` ends the action,
    `wake_at` where it goes on. `suppresses` is a refusal by the register, which is remembered. `holds` is
    why the action's lane is held, where it is held with that.
    """

    step: Step
    result: str
    code: str
    reason: Reason
    message: str = ""
    provider_sid: str | None = None
    outcome: Outcome | None = None
    wake_at: datetime | None = None
    suppresses: bool = False
    holds: Reason | None = None


async def record(
    db: Database, action_id: int, attempt: int, result: AttemptResult, policy: Policy, now: datetime
) -> tuple[Wake, ...]:
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
    if result.suppresses:
        # The register of those who want no calls, or no advertising: it says nothing of anything else.
        bar = OUR_CALLS if action.kind is Kind.CALLBACK else PROMOTIONS
        await learn(db, action.number, bar, result.reason, now)
    follows = step(action.state, result.step)
    if follows is None:
        return ()
    if result.result == "refused":
        # It surely reached nobody, so it does not count against the caller's cap.
        await db.execute("UPDATE actions SET placed_at = NULL WHERE id = ?", (action_id,))
    if result.step is Step.ACCEPT and action.kind is Kind.CALLBACK:
        await keep_longest_end(db, action, policy, now)
    if follows is State.DONE:
        if result.outcome is None:
            raise AssertionError(f"{result.step} ends an action but names no outcome")
        await close(db, action_id, result.outcome, result.reason, now, code=result.code)
        return await call_ended(db, action, policy, now)
    wake_at = until_expiry(action.expires_at) if follows is State.HELD else result.wake_at or now
    if follows is State.PLACED and await is_awaited(db, action, policy):
        wake_at = min(
            wake_at, next_awaited_look(action.placed_at or now, policy.ring_timeout(action.campaign), now)
        )
    wake_us = to_us(wake_at)
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, wake_at = ?, due_at = iif(?, ?, due_at) WHERE id = ?",
        (
            follows,
            result.holds or result.reason,
            wake_us,
            result.step is Step.POSTPONE,
            wake_us,
            action_id,
        ),
    )
    woken: tuple[Wake, ...] = ()
    if follows in (State.PLANNED, State.HELD) and action.kind is Kind.CALLBACK:
        # It waits again, and the caller may have rung while its request was out.
        woken = await leave_one_owed(db, [(action.campaign, action.number)], now)
        woken += await call_ended(db, action, policy, now)
    return (Wake(wake_us, action_id, lane_of(action.kind, follows)), *woken)


async def rescue(db: Database, now: datetime) -> int:
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
        event = Step.POSTPONE if kind == Kind.WEBHOOK else Step.LOSE
        wait_s = 0.0 if event is Step.POSTPONE else look_wait(State.ATTEMPTING, Kind(kind), 0) or 0.0
        wake_us = to_us(now) + int(wait_s * 1_000_000)
        await db.execute(
            "UPDATE actions SET state = ?, reason = ?, wake_at = ?, due_at = iif(?, ?, due_at) WHERE id = ?",
            (
                step(State.ATTEMPTING, event),
                Reason.STOPPED_IN_FLIGHT,
                wake_us,
                event is Step.POSTPONE,
                wake_us,
                action_id,
            ),
        )
    return len(rows)


async def wake_forgotten(db: Database, now: datetime) -> int:
    """Find open actions that nothing would ever wake for, and let them be looked at; how many there were.

    Only a mistake of ours leaves one, once `rescue` has been there; the quarantine alone holds without
    an instant.
    """
    rows = await db.fetch_all(
        """UPDATE actions SET wake_at = iif(state IN ('planned', 'held'), due_at, ?)
           WHERE state != 'done' AND wake_at IS NULL AND NOT (state = 'held' AND reason = ?) RETURNING 1""",
        (to_us(now), Reason.QUARANTINED),
    )
    return len(rows)
