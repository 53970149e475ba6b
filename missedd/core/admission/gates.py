"""The gates of an action: judged when it is planned and again just before it is sent.

`judge` asks one question of an action at an instant: may it go now? It lets it through, holds it
until a named instant, lets it wait for the end of a pause, or closes it; each with a reason. It
keeps no state and reads no clock, so both times give the same answer for the same facts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.admission.calling_hours import NoWindow, next_calling_window
from missedd.core.admission.concurrent_calls import (
    CAPACITY_REASONS,
    Blocked,
    OngoingCall,
    TrafficSnapshot,
    blocked_by_capacity,
    blocked_by_ongoing_call,
    capacity_wait_end,
)
from missedd.core.admission.pauses import Pause, next_check_at
from missedd.core.contact_countries import may_contact
from missedd.core.model import Kind, Outcome, Plan
from missedd.core.numbering_plan import cannot_receive_sms
from missedd.core.people.suppression import Restriction, blocks_calls, sms_block_reason
from missedd.core.policy import CallbackPolicy, Campaign, MessageClass, Policy, SmsPolicy
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import is_under_cap

_CLOCK_TOLERANCE = timedelta(minutes=2)

CLOCK_NOT_AHEAD: Final = timedelta(0)
"""How far a clock that is believed may be ahead."""


@fast_dataclass(frozen=True, slots=True)
class Go:
    pass


@fast_dataclass(frozen=True, slots=True)
class Hold:
    """Not before `until`; `expires_at` moves with it, since waiting was our own rule."""

    until: datetime
    expires_at: datetime
    reason: Reason


@fast_dataclass(frozen=True, slots=True)
class HoldForEvent:
    """Look again at `until`, or when what it waits for has ended: a pause, or a call of ours.

    Its own instants stay as they are, but for `expires_at` where that is given.
    """

    recheck_at: datetime
    reason: Reason = Reason.CAMPAIGN_PAUSED
    expires_at: datetime | None = None
    calls: tuple[OngoingCall, ...] = ()
    """Whose ends it waits for."""


@fast_dataclass(frozen=True, slots=True)
class Close:
    outcome: Outcome
    reason: Reason


type Judgement = Go | Hold | HoldForEvent | Close


@fast_dataclass(frozen=True, slots=True)
class Candidate:
    """What the gates need to know of one action that would contact somebody.

    `other_callback_times` are the instants of the number's other callbacks by this campaign that count
    against
    its cap: those that were placed. `number` and `due_at` are asked for as it is to go out.
    """

    kind: Kind
    campaign: str
    plan: Plan
    expires_at: datetime | None
    is_suppressed: bool = False
    restrictions: tuple[Restriction, ...] = ()
    """What refusals have taught about the number."""
    other_callback_times: tuple[datetime, ...] = ()
    already_spoken_with: bool = False
    """The campaign has spoken with the caller since the call that this callback answers, or that very call
    was taken after all: then its SMS is not owed either."""
    pause: Pause | None = None
    """The campaign's, where one is in force."""
    number: str = ""
    """The caller's, whose country decides beside that of the ExoPhone; empty where it is judged elsewhere."""
    exophone: str = ""
    due_at: datetime | None = None
    traffic: TrafficSnapshot | None = None
    """What goes on as it is to go out; None while it is planned."""
    clock_ahead: timedelta = CLOCK_NOT_AHEAD
    """How far the clock may be ahead: see `missedd.core.admission.clock_steps`."""

    @property
    def latest_expiry(self) -> datetime | None:
        """When it is too old, by a clock that may be ahead."""
        return None if self.expires_at is None else self.expires_at + self.clock_ahead


def sms_policy(campaign: Campaign, plan: Plan) -> SmsPolicy | None:
    """The SMS owed under a plan: after hours its own text where there is one, else the ordinary one."""
    if plan is Plan.AFTER_HOURS and campaign.after_hours.sms is not None:
        return campaign.after_hours.sms
    return campaign.sms


def judge(candidate: Candidate, policy: Policy, at: datetime) -> Judgement:
    """Say whether the action may go at `at`: through, held until an instant, or closed for a reason."""
    campaign = policy.campaign(candidate.campaign)
    if campaign is None:
        return Close(Outcome.DROPPED, Reason.NO_LONGER_CONFIGURED)
    match candidate.kind:
        case Kind.WEBHOOK:
            # It tells the operator's own application, so neither the caller's wishes nor hours apply.
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
    """Whether the number takes such an SMS: by the numbering plan, and by what was refused before."""
    if cannot_receive_sms(candidate.number):
        return Close(Outcome.DROPPED, Reason.TAKES_NO_SMS)
    if not candidate.restrictions:
        return None
    # The SMS of a campaign whose calls opt out is what confirms that.
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
    # Late among the gates: what waits for an opening hour comes to it then.
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
    """Waiting for a place is our own rule and moves the expiry; for a person, or an agent's rest, not."""
    expires_at = candidate.expires_at
    # An agent who rests did not take a call: then nothing goes on that would end.
    if expires_at is not None and blocked.calls and blocked.reason in CAPACITY_REASONS:
        expires_at = max(expires_at, capacity_wait_end(campaign, candidate.due_at or at))
    old_at = None if expires_at is None else expires_at + candidate.clock_ahead
    return HoldForEvent(next_check_at(blocked.until, old_at), blocked.reason, expires_at, blocked.calls)


def _judge_sms(sms: SmsPolicy, policy: Policy, at: datetime) -> Judgement:
    if sms.message_class is MessageClass.PROMOTIONAL:
        release_at = policy.promotional_hours.next_opening(at, policy.timezone)
        if release_at > at:
            return Hold(release_at, release_at + sms.give_up_after, Reason.QUIET_HOURS)
    return Go()


def _judge_callback(
    campaign: Campaign, callback: CallbackPolicy, candidate: Candidate, policy: Policy, at: datetime
) -> Judgement:
    # There is one such agent at most, so a list of nobody else has one.
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


def is_too_far_ahead(called_at: datetime, received_at: datetime) -> bool:
    """A call's own time this far in our future is a wrong clock, not a call to come."""
    return called_at > received_at + _CLOCK_TOLERANCE
