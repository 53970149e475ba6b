"""What the provider says became of an action: by its report, or by a look-up of ours."""

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
from missedd.store.actions.agent_misses import record_agent_outcome
from missedd.store.actions.claims import close_action
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
    """What a report means for one action; None as `outcome` while nothing is final."""

    outcome: Outcome | None
    refused_class: RefusedSmsClass | None = None
    """What the refusal of an SMS tells about the number."""
    answered_at: datetime | None = None
    """When the customer answered, if the report tells, be it final or not."""
    ended_at: datetime | None = None
    """When the call ended, if the report tells."""
    agent_answered: bool = False
    """Whether it is certain that the agent took the call."""
    reason: Reason | None = None
    """Why it ended so, where the report says more than the outcome does."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What else the report tells, by the names of `missedd.core.actions.details`."""


type ReportInterpreter = Callable[[ActionRow, StatusReport], ReportMeaning]
"""The provider's spelling is not this room's business: whoever calls brings the reading of it."""


@dataclass(frozen=True, slots=True)
class ReportResult:
    """`effect` says in a word what the report did; `action` is the one it was about, as it was before."""

    effect: str
    action: ActionRow | None = None
    outcome: Outcome | None = None
    timers: tuple[Timer, ...] = ()
    cancelled: tuple[ActionRow, ...] = ()
    """Callbacks that are no longer needed, as the caller was reached."""
    reason: Reason | None = None
    """With which the report ended the action, if it did."""

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
    """Keep a report, and let it end its action if it may; an unanswered callback may plan the next.

    `clock_ahead` is how far the clock of `now` may be ahead.
    """
    found = await fetch_actions(db, [action_id])
    applied = await _apply(db, found[0] if found else None, kind, report, interpret, policy, now, clock_ahead)
    await db.execute(
        """INSERT INTO reports (action_id, provider_sid, received_at, status, code, source, effect, fields)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            action_id if found else None,
            report.provider_sid,
            to_us(now),
            report.status,
            report.code,
            source,
            applied.effect,
            "{}" if applied.is_number_erased else json.dumps(dict(report.fields), separators=(",", ":")),
        ),
    )
    return applied


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
        # We took it for refused, yet it reached the caller: it counts against the cap after all.
        await db.execute("UPDATE actions SET placed_at = ? WHERE id = ?", (to_us(now), action.id))
    answered_at, ended_at = None, _clamp_to_attempt(meaning.ended_at or now, action, now)
    if meaning.outcome is Outcome.ANSWERED:
        # Where nobody tells of the answer, it came before the end.
        answered_at = _clamp_to_attempt(meaning.answered_at or ended_at, action, now)
    reason = meaning.reason or REASON_OF[action.kind, meaning.outcome]
    await close_action(db, action.id, meaning.outcome, reason, now, code=report.code, answered_at=answered_at)
    if action.kind is Kind.CALLBACK:
        await db.execute("UPDATE actions SET ended_at = ? WHERE id = ?", (to_us(ended_at), action.id))
    wakes: tuple[Timer, ...] = await wake_after_call(db, action, policy, now)
    if action.kind is Kind.CALLBACK and await record_agent_outcome(
        db, action, reason, meaning.agent_answered, policy, ended_at
    ):
        wakes += await wake_after_agent_rest(db, action.details["agent"], policy, now)
    cancelled: tuple[ActionRow, ...] = ()
    if action.kind is Kind.CALLBACK and meaning.outcome in UNANSWERED:
        wakes += await plan_next_callback(
            db, action, meaning.outcome, reason, ended_at, policy, now, clock_ahead
        )
    elif action.kind is Kind.CALLBACK and answered_at is not None:
        spoken_at = await _recorded_answered_at(db, action.id)
        cancelled = await record_conversation(db, action.campaign, action.number, spoken_at, now)
    return ReportResult("applied", action, meaning.outcome, wakes, cancelled, reason)


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
    bar = restriction_from_refusal(refused_class, None if sms is None else sms.sender)
    if bar is not None:
        await suppress_after_refusal(db, action.number, bar, f"sms {report.code or report.status}", now)


async def _recorded_answered_at(db: Database, action_id: int) -> datetime:
    """When the customer answered, as the first news of it told."""
    ((answered_us,),) = await db.fetch_all("SELECT answered_at FROM actions WHERE id = ?", (action_id,))
    return from_us(answered_us)


def _clamp_to_attempt(answered_at: datetime, action: ActionRow, now: datetime) -> datetime:
    """Neither before the request nor after the news of it, whatever the provider's clock shows."""
    return min(max(answered_at, action.placed_at or now), now)


async def _is_of_another_call(db: Database, action: ActionRow) -> bool:
    """Whether the provider itself named this action's call, so that another Sid is another call's.

    A Sid that a look-up found is our own guess, which a report to the action's address corrects.
    """
    rows = await db.fetch_all(
        """SELECT 1 FROM attempts WHERE action_id = ? AND result = 'accepted' AND provider_sid = ? LIMIT 1""",
        (action.id, action.provider_sid),
    )
    return bool(rows)


async def _was_attempted(db: Database, action: ActionRow) -> bool:
    return bool(await db.fetch_all("SELECT 1 FROM attempts WHERE action_id = ? LIMIT 1", (action.id,)))
