"""What a campaign owes for a call, as actions. Each action has passed through its gates once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.gates import judge, sms_policy
from missedd.core.admission.judgement import Candidate, Close, Go, Hold, HoldForEvent
from missedd.core.admission.pauses import Pause
from missedd.core.model import Kind, Outcome, Plan, PlannedAction, State
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import Reason


def plan_records(campaign: Campaign, called_at: datetime) -> list[PlannedAction]:
    """The actions that contact nobody and are done with the call itself, in the order of `Kind`."""

    def record(kind: Kind, **details: str) -> PlannedAction:
        return PlannedAction(
            kind=kind,
            state=State.DONE,
            outcome=Outcome.RECORDED,
            reason=Reason.RECORDED_AT_ONCE,
            base_at=called_at,
            due_at=called_at,
            expires_at=None,
            details=details,
        )

    actions = []
    if campaign.lead_source is not None:
        actions.append(record(Kind.LEAD, source=campaign.lead_source))
    if campaign.vote is not None:
        actions.append(record(Kind.VOTE, poll=campaign.vote.poll, option=campaign.vote.option))
    if campaign.subscribe is not None:
        actions.append(
            record(Kind.SUBSCRIBE, list=campaign.subscribe.list, purpose=campaign.subscribe.purpose)
        )
    if campaign.unsubscribe is not None:
        actions.append(record(Kind.UNSUBSCRIBE, list=campaign.unsubscribe.list))
    if campaign.verify is not None:
        actions.append(record(Kind.VERIFY))
    return actions


def plan_contacts(
    campaign: Campaign,
    policy: Policy,
    history: CallerHistory,
    pause: Pause | None,
    called_at: datetime,
    received_at: datetime,
    number: str,
    exophone: str,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
) -> Iterator[PlannedAction]:
    """The actions that contact somebody, each judged by its gates. `number` (E.164) called `exophone`.

    The delays run from `called_at`; `received_at` is now. `clock_ahead` is how far the clock may be ahead.
    """
    plan = _plan_at(campaign, called_at)
    if campaign.webhook is not None:
        candidate = Candidate(Kind.WEBHOOK, campaign.name, plan, None)
        yield _plan_through_gates(candidate, policy, called_at, called_at, received_at)
    sms = sms_policy(campaign, plan)
    if sms is not None:
        candidate = Candidate(
            Kind.SMS,
            campaign.name,
            plan,
            called_at + sms.give_up_after,
            number,
            exophone,
            history.restrictions,
            pause,
            clock_ahead,
        )
        yield _plan_through_gates(candidate, policy, called_at, called_at, received_at)
    yield from plan_callback(
        campaign,
        policy,
        history,
        pause,
        called_at,
        received_at,
        number,
        exophone,
        clock_ahead,
        plan=plan,
    )


def plan_callback(
    campaign: Campaign,
    policy: Policy,
    history: CallerHistory,
    pause: Pause | None,
    called_at: datetime,
    received_at: datetime,
    number: str,
    exophone: str,
    clock_ahead: timedelta = CLOCK_NOT_AHEAD,
    reason: Reason | None = None,
    plan: Plan | None = None,
) -> tuple[PlannedAction, ...]:
    """The callback for a call, or nothing if the campaign makes none.

    `reason` replaces the usual reason. `plan` is the plan of the call, if it is known.
    """
    callback = campaign.callback
    if callback is None:
        return ()
    candidate = Candidate(
        Kind.CALLBACK,
        campaign.name,
        plan or _plan_at(campaign, called_at),
        called_at + callback.give_up_after,
        number,
        exophone,
        history.restrictions,
        pause,
        clock_ahead,
        # A caller who opts out with this call gets the confirmation SMS and nothing else.
        campaign.opts_callers_out,
        tuple([at for name, at in history.placed if name == campaign.name]),
    )
    due_at = called_at + callback.delay
    return (_plan_through_gates(candidate, policy, called_at, due_at, received_at, 0, reason),)


def plan_verified_webhook(
    campaign: Campaign, policy: Policy, called_at: datetime, verification_id: str, received_at: datetime
) -> Iterator[PlannedAction]:
    """The webhook that reports a verification which this call proved, if the campaign has a webhook."""
    if campaign.webhook is not None:
        candidate = Candidate(Kind.WEBHOOK, campaign.name, _plan_at(campaign, called_at), None)
        planned = _plan_through_gates(candidate, policy, called_at, called_at, received_at)
        yield replace(planned, details={"verification": verification_id})


def _plan_at(campaign: Campaign, called_at: datetime) -> Plan:
    is_open = campaign.hours is None or campaign.hours.is_open(called_at)
    return Plan.OPEN if is_open else Plan.AFTER_HOURS


def plan_retry(
    campaign: Campaign,
    policy: Policy,
    retry_index: int,
    outcome: Outcome,
    candidate: Candidate,
    now: datetime,
) -> PlannedAction | None:
    """The callback that follows an unanswered one, if the campaign wants another; counted and judged again.

    `retry_index` (0 for the first callback) and `outcome` are those of the unanswered callback. `candidate`
    has the facts with which that callback was judged.
    """
    waits = campaign.callback.retries.delays_after(outcome) if campaign.callback else ()
    if campaign.callback is None or retry_index >= len(waits):
        return None
    due_at = now + waits[retry_index]
    again = replace(candidate, expires_at=due_at + campaign.callback.give_up_after)
    return _plan_through_gates(again, policy, now, due_at, now, retry_index + 1, Reason.RETRY_UNANSWERED)


def plan_next_agent(
    policy: Policy,
    retry_index: int,
    candidate: Candidate,
    miss_reason: Reason,
    due_at: datetime,
    now: datetime,
) -> PlannedAction:
    """The callback that follows one whose agent missed it. It goes at once, because the customer was not
    called at all.

    It keeps the due time of the earlier callback, so that trying one agent after the other has an end.
    """
    planned = _plan_through_gates(candidate, policy, now, due_at, now, retry_index, miss_reason)
    return replace(planned, next_check_at=now) if planned.state is State.PLANNED else planned


def _plan_through_gates(
    candidate: Candidate,
    policy: Policy,
    base_at: datetime,
    due_at: datetime,
    now: datetime,
    retry_index: int = 0,
    reason: Reason | None = None,
) -> PlannedAction:
    """Plan an action as its gates judge it at the time it would go: its due time, or now if that is past."""
    kind, plan, expires_at = candidate.kind, candidate.plan, candidate.expires_at
    judgement = judge(candidate, policy, max(due_at, now))
    state, outcome, check_at = State.PLANNED, None, None
    why = reason or (Reason.OWED if plan is Plan.OPEN else Reason.OWED_AFTER_HOURS)
    match judgement:
        case Go():
            pass
        case Hold(until, later_expiry, held_for):
            state, due_at, expires_at, why = State.HELD, until, later_expiry, held_for
        case HoldForEvent(until, held_for):
            state, check_at, why = State.HELD, until, held_for
        case Close(closed_as, closed_for):
            state, outcome, why = State.DONE, closed_as, closed_for
    planned = PlannedAction(kind, state, base_at, due_at, expires_at, why, outcome, plan, retry_index)
    return planned if check_at is None else replace(planned, next_check_at=check_at)
