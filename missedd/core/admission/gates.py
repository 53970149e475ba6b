"""The gates of an action: judged when the action is planned, and again just before it is sent.

`judge` answers one question: may this action go at this time? The answer lets it through, holds it until a
time, holds it until something ends, or closes it, always with a reason. It keeps no state and reads no clock,
so the same facts give the same answer both times.
"""

from __future__ import annotations

from datetime import datetime

from missedd.core.admission.calling_hours import NoWindow, next_calling_window
from missedd.core.admission.concurrent_calls import (
    CAPACITY_REASONS,
    Blocked,
    blocked_by_capacity,
    blocked_by_ongoing_call,
    capacity_wait_end,
)
from missedd.core.admission.judgement import Candidate, Close, Go, Hold, HoldForEvent, Judgement
from missedd.core.admission.pauses import next_check_at
from missedd.core.contact_countries import may_contact
from missedd.core.model import Kind, Outcome, Plan
from missedd.core.numbering_plan import cannot_receive_sms
from missedd.core.people.suppression import blocks_calls, sms_block_reason
from missedd.core.policy import CallbackPolicy, Campaign, MessageClass, Policy, SmsPolicy
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import is_under_cap


def sms_policy(campaign: Campaign, plan: Plan) -> SmsPolicy | None:
    """The SMS of a plan: after hours the campaign's after-hours SMS if it has one, else the ordinary SMS."""
    if plan is Plan.AFTER_HOURS and campaign.after_hours.sms is not None:
        return campaign.after_hours.sms
    return campaign.sms


def judge(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
    """Whether the action may go at `at` (UTC): let it through, hold it, or close it."""
    campaign = policy.campaign(candidate.campaign)
    if campaign is None:
        return Close(Outcome.DROPPED, Reason.NO_LONGER_CONFIGURED)
    match candidate.kind:
        case Kind.WEBHOOK:
            # A webhook goes to the operator's own application, so suppressions and hours do not apply.
            return Go() if campaign.webhook else Close(Outcome.DROPPED, Reason.NO_LONGER_CONFIGURED)
        case Kind.SMS:
            sms = sms_policy(campaign, candidate.plan)
            if sms is None:
                return Close(Outcome.DROPPED, Reason.NO_LONGER_CONFIGURED)
            return (
                _judge_number(campaign, candidate)
                or _judge_sms_acceptance(campaign, sms, candidate)
                or _judge_age(candidate, at)
                or _apply_pause(_judge_sms(sms, policy, at), candidate, at)
            )
        case Kind.CALLBACK:
            if campaign.callback is None:
                return Close(Outcome.DROPPED, Reason.NO_LONGER_CONFIGURED)
            return (
                _judge_number(campaign, candidate)
                or _judge_age(candidate, at)
                or _apply_call_limits(
                    _apply_pause(
                        _judge_callback(campaign, campaign.callback, candidate, policy, at), candidate, at
                    ),
                    campaign,
                    campaign.callback,
                    candidate,
                    policy,
                    at,
                )
            )
        case _:
            raise AssertionError(f"{candidate.kind} is recorded with its call and never waits at a gate")


def _judge_number(campaign: Campaign, candidate: Candidate) -> Close | None:
    if candidate.is_suppressed:
        return Close(Outcome.DROPPED, Reason.SUPPRESSED_SINCE)
    if candidate.number and not may_contact(campaign.countries, candidate.number, candidate.exophone):
        return Close(Outcome.DROPPED, Reason.FOREIGN_NUMBER)
    if candidate.kind is Kind.CALLBACK and candidate.restrictions and blocks_calls(candidate.restrictions):
        return Close(Outcome.DROPPED, Reason.DO_NOT_DISTURB)
    return None


def _judge_sms_acceptance(campaign: Campaign, sms: SmsPolicy, candidate: Candidate) -> Close | None:
    """Whether the number can receive such an SMS, by the numbering plan and by earlier refusals."""
    if cannot_receive_sms(candidate.number):
        return Close(Outcome.DROPPED, Reason.TAKES_NO_SMS)
    if not candidate.restrictions:
        return None
    # If the campaign's calls opt out, its SMS is the confirmation of the opt-out.
    refused = sms_block_reason(
        candidate.restrictions, sms.message_class, sms.sender, confirms_opt_out=campaign.opts_callers_out
    )
    return None if refused is None else Close(Outcome.DROPPED, refused)


def _judge_age(candidate: Candidate, at: datetime) -> Close | None:
    if candidate.expires_at is not None and at > candidate.expires_at + candidate.clock_ahead:
        return Close(Outcome.EXPIRED, Reason.TOO_OLD)
    if candidate.already_spoken_with:
        return Close(Outcome.CANCELLED, Reason.REACHED_OTHERWISE)
    return None


def _apply_pause(judgement: Judgement, candidate: Candidate, at: datetime) -> Judgement:
    # This gate comes late: an action that waits for the opening reaches this gate when the business opens.
    if isinstance(judgement, Go) and candidate.pause is not None and candidate.pause.is_active_at(at):
        return HoldForEvent(candidate.pause.next_check_at(candidate.latest_expiry))
    return judgement


def _apply_call_limits(
    judgement: Judgement,
    campaign: Campaign,
    callback: CallbackPolicy,
    candidate: Candidate,
    policy: Policy,
    at: datetime,
) -> Judgement:
    traffic = candidate.traffic
    if traffic is None or not isinstance(judgement, Go):
        return judgement
    blocked = blocked_by_ongoing_call(candidate.number, traffic, at) or blocked_by_capacity(
        campaign, callback, candidate.number, policy, traffic, at
    )
    return judgement if blocked is None else _hold_for_capacity(blocked, campaign, candidate, at)


def _hold_for_capacity(
    blocked: Blocked, campaign: Campaign, candidate: Candidate, at: datetime
) -> HoldForEvent:
    """Hold an action until a place is free.

    Waiting for a place is our own rule, so it moves the expiry. Waiting for another call to the same person,
    or for an agent's rest, does not.
    """
    expires_at = candidate.expires_at
    # An agent who rests did not answer; then there is no call whose end frees a place.
    if expires_at is not None and blocked.calls and blocked.reason in CAPACITY_REASONS:
        expires_at = max(expires_at, capacity_wait_end(campaign, candidate.due_at or at))
    too_old_at = None if expires_at is None else expires_at + candidate.clock_ahead
    return HoldForEvent(next_check_at(blocked.until, too_old_at), blocked.reason, expires_at, blocked.calls)


def _judge_sms(sms: SmsPolicy, policy: Policy, at: datetime) -> Judgement:
    if sms.message_class is MessageClass.PROMOTIONAL:
        release_at = policy.promotional_hours.next_opening(at, policy.timezone)
        if release_at > at:
            return Hold(release_at, release_at + sms.give_up_after, Reason.QUIET_HOURS)
    return Go()


def _judge_callback(
    campaign: Campaign, callback: CallbackPolicy, candidate: Candidate, policy: Policy, at: datetime
) -> Judgement:
    # Numbers of agents are unique, so only a list with one agent can consist of the caller alone.
    if len(callback.agents) == 1 and callback.agents[0].number == candidate.number:
        return Close(Outcome.DROPPED, Reason.AGENT_IS_CALLER)
    opening = next_calling_window(campaign, callback, policy, at, candidate.number)
    if isinstance(opening, NoWindow):
        return Close(Outcome.DROPPED, opening.reason)
    release_at = opening.at
    if not is_under_cap(candidate.other_callback_times, release_at, callback.max_per_hour):
        return Close(Outcome.DROPPED, Reason.MAX_PER_HOUR)
    if release_at > at:
        return Hold(release_at, release_at + callback.give_up_after, opening.reason)
    return Go()
