"""Apply the provider's status of an action, from a status report or from a lookup."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from missedd.base.clock import from_us, to_us
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.gates import sms_policy
from missedd.core.model import Kind, Outcome, State, StatusReport
from missedd.core.people.erasure import is_erased
from missedd.core.people.suppression import RefusedSmsClass, restriction_from_refusal
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_facts import record_details
from missedd.store.actions.action_transitions import close_action
from missedd.store.actions.agent_misses import record_agent_outcome
from missedd.store.actions.concurrent_calls import wake_after_agent_rest, wake_after_call
from missedd.store.actions.conversations import record_conversation
from missedd.store.actions.next_callback import plan_next_callback
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions
from missedd.store.db.database import Database
from missedd.store.people.suppressions import suppress_after_refusal

REASON_OF = {
    (Kind.CALLBACK, Outcome.ANSWERED): Reason.CUSTOMER_ANSWERED,
    (Kind.CALLBACK, Outcome.NO_ANSWER): Reason.CUSTOMER_NO_ANSWER,
    (Kind.CALLBACK, Outcome.BUSY): Reason.CUSTOMER_BUSY,
    (Kind.CALLBACK, Outcome.FAILED): Reason.CALL_FAILED,
    (Kind.SMS, Outcome.DELIVERED): Reason.SMS_DELIVERED,
    (Kind.SMS, Outcome.FAILED): Reason.SMS_FAILED,
}
UNANSWERED = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class ReportMeaning:
    """What a report means for one action."""

    outcome: Outcome | None
    """None while the status is not final."""
    refused_class: RefusedSmsClass | None = None
    """The class of SMS that the number refuses, if the operator refused an SMS."""
    answered_at: datetime | None = None
    """When the customer answered, if the report says so; the report need not be final."""
    ended_at: datetime | None = None
    """When the call ended, if the report says so."""
    agent_answered: bool = False
    """Whether it is certain that the agent took the call."""
    reason: Reason | None = None
    """Why the action ended, if the report says more than the outcome does."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What else the report says, under the names of `missedd.core.actions.details`."""


type ReportInterpreter = Callable[[ActionRow, StatusReport], ReportMeaning]
"""Interprets a report in the provider's words; the caller passes it, as the store knows no provider."""


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What a report changed."""

    effect: str
    """`applied`, or why the report changed nothing, for example `ignored: already final`."""
    action: ActionRow | None = None
    """The action of the report, as it was before the report."""
    outcome: Outcome | None = None
    timers: tuple[Timer, ...] = ()
    cancelled: tuple[ActionRow, ...] = ()
    """Callbacks that are no longer needed, as the caller was reached."""
    reason: Reason | None = None
    """The reason with which the report ended the action, if it did."""

    @property
    def is_number_erased(self) -> bool:
        return self.action is not None and is_erased(self.action.number)


async def apply_report(
    db: Database,
    action_id: int,
    kind: Kind,
    report: StatusReport,
    interpret: ReportInterpreter,
    policy: Policy,
    now: datetime,
    source: str = "report",
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> ReportResult:
    """Record a report, and let it end its action if it may; after an unanswered callback plan the next one.

    `source` is `report` or names the lookup that got the status. `clock_ahead` is how far the clock of `now`
    may be ahead.
    """
    actions = await fetch_actions(db, [action_id])
    action = actions[0] if actions else None
    result = await _apply(db, action, kind, report, interpret, policy, now, clock_ahead)
    await db.execute(
        """INSERT INTO reports (action_id, provider_sid, received_at, status, code, source, effect, fields)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            None if action is None else action_id,
            report.provider_sid,
            to_us(now),
            report.status,
            report.code,
            source,
            result.effect,
            "{}" if result.is_number_erased else json.dumps(dict(report.fields), separators=(",", ":")),
        ),
    )
    return result


async def _apply(
    db: Database,
    action: ActionRow | None,
    kind: Kind,
    report: StatusReport,
    interpret: ReportInterpreter,
    policy: Policy,
    now: datetime,
    clock_ahead: timedelta,
) -> ReportResult:
    if action is None:
        return ReportResult("ignored: no such action")
    if action.kind is not kind:
        return ReportResult(f"ignored: the action is a {action.kind}", action)
    if is_erased(action.number):
        return ReportResult("ignored: the number is erased", action)
    if action.placed_at is None and not await _was_attempted(db, action):
        return ReportResult("ignored: nothing was sent yet", action)
    if action.provider_sid != report.provider_sid and await _is_of_another_call(db, action):
        return ReportResult("ignored: another call", action)
    if action.provider_sid != report.provider_sid:
        await db.execute("UPDATE actions SET provider_sid = ? WHERE id = ?", (report.provider_sid, action.id))
    meaning = interpret(action, report)
    await record_details(db, action, meaning.details)
    if meaning.refused_class is not None:
        await _suppress_after_refusal(db, action, meaning.refused_class, report, policy, now)
    if meaning.outcome is None:
        if meaning.answered_at is not None and action.state is not State.DONE:
            await db.execute(
                "UPDATE actions SET answered_at = coalesce(answered_at, ?) WHERE id = ?",
                (to_us(_clamp_to_attempt(meaning.answered_at, action, now)), action.id),
            )
        return ReportResult("noted: not final", action)
    if step(action.state, ActionEvent.REPORT) is None:
        return ReportResult("ignored: already final", action)
    if action.placed_at is None:
        # The attempt was recorded as refused, yet the call reached the caller: it counts against the cap.
        await db.execute("UPDATE actions SET placed_at = ? WHERE id = ?", (to_us(now), action.id))
    answered_at, ended_at = None, _clamp_to_attempt(meaning.ended_at or now, action, now)
    if meaning.outcome is Outcome.ANSWERED:
        # If no report says when the customer answered, the end is the latest possible time.
        answered_at = _clamp_to_attempt(meaning.answered_at or ended_at, action, now)
    reason = meaning.reason or REASON_OF[action.kind, meaning.outcome]
    await close_action(db, action.id, meaning.outcome, reason, now, code=report.code, answered_at=answered_at)
    if action.kind is Kind.CALLBACK:
        await db.execute("UPDATE actions SET ended_at = ? WHERE id = ?", (to_us(ended_at), action.id))
    timers: tuple[Timer, ...] = await wake_after_call(db, action, policy, now)
    if action.kind is Kind.CALLBACK and await record_agent_outcome(
        db, action, reason, meaning.agent_answered, policy, ended_at
    ):
        timers += await wake_after_agent_rest(db, action.details["agent"], policy, now)
    cancelled: tuple[ActionRow, ...] = ()
    if action.kind is Kind.CALLBACK and meaning.outcome in UNANSWERED:
        timers += await plan_next_callback(
            db, action, meaning.outcome, reason, ended_at, policy, now, clock_ahead
        )
    elif action.kind is Kind.CALLBACK and answered_at is not None:
        spoken_at = await _recorded_answered_at(db, action.id)
        cancelled = await record_conversation(db, action.campaign, action.number, spoken_at, now)
    return ReportResult("applied", action, meaning.outcome, timers, cancelled, reason)


async def _suppress_after_refusal(
    db: Database,
    action: ActionRow,
    refused_class: RefusedSmsClass,
    report: StatusReport,
    policy: Policy,
    now: datetime,
) -> None:
    campaign = policy.campaign(action.campaign)
    sms = None if campaign is None else sms_policy(campaign, action.plan)
    restriction = restriction_from_refusal(refused_class, None if sms is None else sms.sender)
    if restriction is not None:
        reason = f"sms {report.code or report.status}"
        await suppress_after_refusal(db, action.number, restriction, reason, now)


async def _recorded_answered_at(db: Database, action_id: int) -> datetime:
    """When the customer answered, from the first report that said so."""
    ((answered_us,),) = await db.fetch_all("SELECT answered_at FROM actions WHERE id = ?", (action_id,))
    return from_us(answered_us)


def _clamp_to_attempt(answered_at: datetime, action: ActionRow, now: datetime) -> datetime:
    """Clamp a time of the provider's clock between the request and `now`."""
    return min(max(answered_at, action.placed_at or now), now)


async def _is_of_another_call(db: Database, action: ActionRow) -> bool:
    """Whether the provider itself gave the action its Sid, so that another Sid means another call.

    A Sid from a lookup is our guess, and a report to the action's own URL corrects it.
    """
    rows = await db.fetch_all(
        """SELECT 1 FROM attempts WHERE action_id = ? AND result = 'accepted' AND provider_sid = ? LIMIT 1""",
        (action.id, action.provider_sid),
    )
    return bool(rows)


async def _was_attempted(db: Database, action: ActionRow) -> bool:
    return bool(await db.fetch_all("SELECT 1 FROM attempts WHERE action_id = ? LIMIT 1", (action.id,)))
