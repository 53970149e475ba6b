"""Claiming: the gates once more, and the attempt on record before its request goes out.

One transaction judges a batch of due actions by the facts of that moment and takes those that
may go. Claiming an action that was already taken, finished or moved to a later instant does
nothing, so a timer may fire twice. A callback that is about to take an agent, or a line, of which
there are few lets whoever rang earlier go first, whichever of the two was due first in the queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from missedd.base.clock import to_us
from missedd.core.actions.details import sms_details
from missedd.core.actions.lifecycle import ActionEvent, step
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.concurrent_calls import CAPACITY_REASONS, choose_agent
from missedd.core.admission.gates import judge
from missedd.core.admission.judgement import Close, Go, Hold, HoldForEvent
from missedd.core.admission.pauses import check_at_expiry
from missedd.core.agent_rotation import Agent
from missedd.core.model import Kind, Outcome, State
from missedd.core.policy import MAX_CALL_SETUP, Policy
from missedd.core.reasons import Reason
from missedd.store.actions.action_facts import encode_details
from missedd.store.actions.agent_rotation import prepare_attempt_details
from missedd.store.actions.concurrent_calls import (
    earliest_competitor,
    pass_capacity_on,
    schedule_early_lookups,
    wake_next_for_capacity,
)
from missedd.store.actions.gate_facts import GateFacts, has_spoken_since_call, load_gate_facts
from missedd.store.actions.rows import ActionRow, Timer, fetch_actions, lane_of
from missedd.store.actions.sms_text import RenderedSms, render_sms
from missedd.store.db.database import Database
from missedd.store.people.leads import update_lead_after_action


@dataclass(frozen=True, slots=True)
class ClaimedAction:
    """An action to be sent now; `attempt` counts from 1, `written` is an SMS's text."""

    action: ActionRow
    attempt: int
    rendered_sms: RenderedSms | None = None


@dataclass(frozen=True, slots=True)
class StoppedAction:
    """An action that its gates held (`wake`; none under quarantine) or closed (`outcome`), or that has
    a text which must not be sent."""

    action: ActionRow
    reason: Reason
    outcome: Outcome | None
    timer: Timer | None


@dataclass(frozen=True, slots=True)
class ClaimResult:
    claimed: tuple[ClaimedAction, ...]
    stopped: tuple[StoppedAction, ...]
    unjudged_ids: tuple[int, ...]
    """Ids that were not judged, as `limit` was reached."""
    early_timers: tuple[Timer, ...] = ()
    """Those whose instant lies ahead: they were moved, or the wall clock was set back since they woke."""
    other_timers: tuple[Timer, ...] = ()
    """What else is to be looked at: calls whose end somebody waits for, callbacks in others' stead."""


async def claim(
    db: Database,
    ids: Sequence[int],
    policy: Policy,
    now: datetime,
    limit: int,
    hold_reason: Reason | None = None,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> ClaimResult:
    """Judge the actions in the order of `ids` until `limit` of them may go, and take those.

    With `hold_reason`, why their lane is held, none is taken: what may go by its own gates waits for that to
    end.
    """
    queue = deque(await fetch_actions(db, list(dict.fromkeys(ids))))
    facts = await load_gate_facts(db, queue, policy, now)
    claimed: list[ClaimedAction] = []
    stopped: list[StoppedAction] = []
    left: list[int] = []
    early: list[Timer] = []
    woken: list[Timer] = []
    judged: set[int] = set()
    in_line: list[tuple[datetime, int]] = []
    while queue:
        action = queue.popleft()
        if action.id in judged or action.state not in (State.PLANNED, State.HELD):
            continue
        judged.add(action.id)
        if action.due_at > now:
            early.append(await _set_timer_when_due(db, action))
            continue
        if facts.is_quarantined(action):
            stopped.append(await _quarantine(db, action))
            continue
        if hold_reason is None and len(claimed) >= limit:
            left.append(action.id)
            continue
        candidate = facts.candidate(action, already_spoken_with=await has_spoken_since_call(db, action))
        if clock_ahead:
            candidate = replace(candidate, clock_ahead=clock_ahead)
        judgement = judge(candidate, policy, now)
        if (
            isinstance(judgement, Go)
            and action.kind is Kind.CALLBACK
            and min(in_line, default=_waiting_since(action)) < _waiting_since(action)
        ):
            # One channel is free and the earlier caller needs two: the next one to end gives them the other.
            spoken_for = replace(facts.traffic, are_channels_reserved=True)
            judgement = judge(replace(candidate, traffic=spoken_for), policy, now)
        if isinstance(judgement, Go) and hold_reason is not None:
            judgement = HoldForEvent(check_at_expiry(candidate.latest_expiry), hold_reason)
        match judgement:
            case Go():
                agent = _agent_for(action, policy, facts, now)
                if earlier := await earliest_competitor(db, action, agent, policy, now, judged - {action.id}):
                    judged.remove(action.id)
                    queue.extendleft([action, *await fetch_actions(db, [earlier])])
                    facts = await load_gate_facts(db, queue, policy, now)
                    continue
                written = await _render(db, action, policy, now)
                if written is not None and not written.matches_template:
                    stopped.append(await _close_mismatched_sms(db, action, now))
                    continue
                details = await prepare_attempt_details(db, action, policy, agent)
                if written is not None:
                    details |= sms_details(written.text)
                claimed.append(await _start_attempt(db, action, policy, now, details, written))
                if action.reason is Reason.CHANNELS_BUSY and policy.channels is not None:
                    needed = 1 if agent is None else 2
                    if facts.traffic.free_channels(policy.channels, now) > needed:
                        # Some were kept for one who has gone: the next may go too.
                        woken += await wake_next_for_capacity(
                            db, action.campaign, None, policy, now, after=action
                        )
                if action.kind is Kind.CALLBACK and len(claimed) < limit:
                    facts = await load_gate_facts(db, queue, policy, now)
            case Hold(until, expires_at, reason):
                step(action.state, ActionEvent.HOLD)
                await db.execute(
                    """UPDATE actions SET state = ?, reason = ?, due_at = ?, wake_at = ?, expires_at = ?
                       WHERE id = ?""",
                    (State.HELD, reason, to_us(until), to_us(until), to_us(expires_at), action.id),
                )
                wake = Timer(to_us(until), action.id, lane_of(action.kind, State.HELD))
                stopped.append(StoppedAction(action, reason, None, wake))
            case HoldForEvent(until, reason, expires_at, calls):
                stopped.append(await _hold_until(db, action, until, reason, expires_at))
                woken += await schedule_early_lookups(db, calls, policy, now)
                if reason is Reason.CHANNELS_BUSY:
                    in_line.append(_waiting_since(action))
                    continue  # and so do those after it
            case Close(outcome, reason):
                step(action.state, ActionEvent.CLOSE)
                await close_action(db, action.id, outcome, reason, now)
                stopped.append(StoppedAction(action, reason, outcome, None))
        if action.reason in CAPACITY_REASONS and stopped and stopped[-1].action is action:
            woken += await pass_capacity_on(db, action, policy, now)
    return ClaimResult(tuple(claimed), tuple(stopped), tuple(left), tuple(early), tuple(woken))


async def _set_timer_when_due(db: Database, action: ActionRow) -> Timer:
    """Its instant may lie beyond what is in memory: then only the disk wakes for it."""
    due_us = to_us(action.due_at)
    later = "UPDATE actions SET wake_at = ? WHERE id = ? AND wake_at < ?"
    await db.execute(later, (due_us, action.id, due_us))
    return Timer(due_us, action.id, lane_of(action.kind, action.state))


def _waiting_since(action: ActionRow) -> tuple[datetime, int]:
    """Whoever has the smaller one waits for longer."""
    return action.chain_at or action.base_at, action.id


def _agent_for(action: ActionRow, policy: Policy, facts: GateFacts, now: datetime) -> str | None:
    """Whom a callback that may go connects the caller to; None for a flow and for what is no callback."""
    campaign = policy.campaign(action.campaign)
    callback = campaign.callback if campaign else None
    if action.kind is not Kind.CALLBACK or campaign is None or callback is None or not callback.agents:
        return None
    chosen = choose_agent(campaign, callback, action.number, policy, facts.traffic, now)
    if not isinstance(chosen, Agent):
        raise AssertionError("the gate lets no callback through while no agent is free")
    return chosen.number


async def _render(db: Database, action: ActionRow, policy: Policy, now: datetime) -> RenderedSms | None:
    if action.kind is not Kind.SMS:
        return None
    return await render_sms(db, policy, action.campaign, action.plan, action.number, action.base_at, now)


async def _hold_until(
    db: Database, action: ActionRow, until: datetime, reason: Reason, expires_at: datetime | None
) -> StoppedAction:
    """Hold for the end of a pause, a call or a trouble: it stays due when it was, and is found so then."""
    step(action.state, ActionEvent.HOLD)
    await db.execute(
        """UPDATE actions SET state = ?, reason = ?, wake_at = ?, expires_at = coalesce(?, expires_at)
           WHERE id = ?""",
        (State.HELD, reason, to_us(until), None if expires_at is None else to_us(expires_at), action.id),
    )
    return StoppedAction(
        action, reason, None, Timer(to_us(until), action.id, lane_of(action.kind, State.HELD))
    )


async def _quarantine(db: Database, action: ActionRow) -> StoppedAction:
    """Hold without an instant: only an operator's word ends this."""
    step(action.state, ActionEvent.HOLD)
    await db.execute(
        "UPDATE actions SET state = ?, reason = ?, wake_at = NULL WHERE id = ?",
        (State.HELD, Reason.QUARANTINED, action.id),
    )
    return StoppedAction(action, Reason.QUARANTINED, None, None)


async def _close_mismatched_sms(db: Database, action: ActionRow, now: datetime) -> StoppedAction:
    """End an SMS that the operators would drop: no request, no attempt, nothing of the budget."""
    step(action.state, ActionEvent.CLOSE)
    await close_action(db, action.id, Outcome.REFUSED, Reason.TEMPLATE_MISMATCH, now)
    return StoppedAction(action, Reason.TEMPLATE_MISMATCH, Outcome.REFUSED, None)


async def _start_attempt(
    db: Database,
    action: ActionRow,
    policy: Policy,
    now: datetime,
    details: dict[str, str],
    rendered_sms: RenderedSms | None,
) -> ClaimedAction:
    follows = step(action.state, ActionEvent.CLAIM)
    rows = await db.fetch_all(
        "SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE action_id = ?", (action.id,)
    )
    number = int(rows[0][0])
    await db.execute(
        "INSERT INTO attempts (action_id, number, started_at) VALUES (?, ?, ?)",
        (action.id, number, to_us(now)),
    )
    await db.execute(
        """UPDATE actions SET state = ?, wake_at = NULL, placed_at = ?, busy_until = ?, details = ?
           WHERE id = ?""",
        (follows, to_us(now), _busy_until_us(action, policy, now), encode_details(details), action.id),
    )
    return ClaimedAction(
        replace(action, state=State.ATTEMPTING, placed_at=now, details=details), number, rendered_sms
    )


def _busy_until_us(action: ActionRow, policy: Policy, now: datetime) -> int | None:
    """When the call that is placed now is surely over, in microseconds."""
    campaign = policy.campaign(action.campaign)
    if action.kind is not Kind.CALLBACK or campaign is None or campaign.callback is None:
        return None
    return to_us(now + campaign.callback.longest_call + MAX_CALL_SETUP)


async def close_action(
    db: Database,
    action_id: int,
    outcome: Outcome,
    reason: Reason,
    now: datetime,
    *,
    code: str | None = None,
    answered_at: datetime | None = None,
) -> None:
    """End an action, and tell its lead. The caller has asked the lifecycle table whether it may.

    `code` is the provider's, where it gave one. `answered_at` is when the customer answered: what the
    provider told of that instant, else when the news of the answer came. The first that is known stays.
    """
    ((kind, campaign, number),) = await db.fetch_all(
        """UPDATE actions SET state = 'done', outcome = ?, reason = ?, wake_at = NULL, closed_at = ?,
                              code = ?, answered_at = coalesce(answered_at, ?)
           WHERE id = ? RETURNING kind, campaign, number""",
        (
            outcome,
            reason,
            to_us(now),
            code,
            None if answered_at is None else to_us(answered_at),
            action_id,
        ),
    )
    await update_lead_after_action(db, Kind(kind), campaign, number, outcome, now)
