"""The gates of an action: judged when it is planned and again just before it is sent.

`judge` asks one question of an action at an instant: may it go now? It lets it through, holds it
until a named instant, lets it wait for the end of a pause, or closes it; each with a reason. It
keeps no state and reads no clock, so both times give the same answer for the same facts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from missedd.base.value_type import value
from missedd.core.admission.calling_hours import Never, first_opening
from missedd.core.admission.concurrent_calls import (
    WAITS_FOR_A_PLACE,
    Blocked,
    OngoingCall,
    Traffic,
    being_rung,
    no_place,
    waits_until,
)
from missedd.core.admission.pauses import Pause, next_look
from missedd.core.contact_countries import contacts
from missedd.core.model import Kind, Outcome, Plan
from missedd.core.numbering_plan import takes_no_sms
from missedd.core.people.suppression import Bar, bars_calls, refusal_of_sms
from missedd.core.policy import CallbackPolicy, Campaign, MessageClass, Policy, SmsPolicy
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import fits

_WRONG_CLOCK = timedelta(minutes=2)

NOT_AHEAD: Final = timedelta(0)
"""How far a clock that is believed may be ahead."""


@value(frozen=True, slots=True)
class Go:
    pass


@value(frozen=True, slots=True)
class Hold:
    """Not before `until`; `expires_at` moves with it, since waiting was our own rule."""

    until: datetime
    expires_at: datetime
    reason: Reason


@value(frozen=True, slots=True)
class Wait:
    """Look again at `until`, or when what it waits for has ended: a pause, or a call of ours.

    Its own instants stay as they are, but for `expires_at` where that is given.
    """

    until: datetime
    reason: Reason = Reason.CAMPAIGN_PAUSED
    expires_at: datetime | None = None
    calls: tuple[OngoingCall, ...] = ()
    """Whose ends it waits for."""


@value(frozen=True, slots=True)
class Close:
    outcome: Outcome
    reason: Reason


type Judgement = Go | Hold | Wait | Close


@value(frozen=True, slots=True)
class Candidate:
    """What the gates need to know of one action that would contact somebody.

    `others` are the instants of the number's other callbacks by this campaign that count against
    its cap: those that were placed. `number` and `due_at` are asked for as it is to go out.
    """

    kind: Kind
    campaign: str
    plan: Plan
    expires_at: datetime | None
    is_suppressed: bool = False
    bars: tuple[Bar, ...] = ()
    """What refusals have taught about the number."""
    others: tuple[datetime, ...] = ()
    is_reached: bool = False
    """The campaign has spoken with the caller since the call that this callback answers, or that very call
    was taken after all: then its SMS is not owed either."""
    pause: Pause | None = None
    """The campaign's, where one is in force."""
    number: str = ""
    """The caller's, whose country decides beside that of the ExoPhone; empty where it is judged elsewhere."""
    exophone: str = ""
    due_at: datetime | None = None
    traffic: Traffic | None = None
    """What goes on as it is to go out; None while it is planned."""
    ahead: timedelta = NOT_AHEAD
    """How far the clock may be ahead: see `missedd.core.admission.clock_steps`."""

    @property
    def old_at(self) -> datetime | None:
        """When it is too old, by a clock that may be ahead."""
        return None if self.expires_at is None else self.expires_at + self.ahead


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
                or _judge_reception(campaign, sms, candidate)
                or _judge_age(candidate, at)
                or _unless_paused(_judge_sms(sms, policy, at), candidate, at)
            )
        case Kind.CALLBACK:
            if campaign.callback is None:
                return Close(Outcome.DROPPED, Reason.NO_LONGER_CONFIGURED)
            return (
                _judge_number(campaign, candidate)
                or _judge_age(candidate, at)
                or _unless_blocked(
                    _unless_paused(
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
    if candidate.number and not contacts(campaign.countries, candidate.number, candidate.exophone):
        return Close(Outcome.DROPPED, Reason.FOREIGN_NUMBER)
    if candidate.kind is Kind.CALLBACK and candidate.bars and bars_calls(candidate.bars):
        return Close(Outcome.DROPPED, Reason.DO_NOT_DISTURB)
    return None


def _judge_reception(campaign: Campaign, sms: SmsPolicy, candidate: Candidate) -> Close | None:
    """Whether the number takes such an SMS: by the numbering plan, and by what was refused before."""
    if takes_no_sms(candidate.number):
        return Close(Outcome.DROPPED, Reason.TAKES_NO_SMS)
    if not candidate.bars:
        return None
    # The SMS of a campaign whose calls opt out is what confirms that.
    refused = refusal_of_sms(candidate.bars, sms.message_class, sms.sender, confirms=campaign.opts_out)
    return None if refused is None else Close(Outcome.DROPPED, refused)


def _judge_age(candidate: Candidate, at: datetime) -> Close | None:
    if candidate.expires_at is not None and at > candidate.expires_at + candidate.ahead:
        return Close(Outcome.EXPIRED, Reason.TOO_OLD)
    if candidate.is_reached:
        return Close(Outcome.CANCELLED, Reason.REACHED_OTHERWISE)
    return None


def _unless_paused(judgement: Judgement, candidate: Candidate, at: datetime) -> Judgement:
    # Late among the gates: what waits for an opening hour comes to it then.
    if isinstance(judgement, Go) and candidate.pause is not None and candidate.pause.holds_at(at):
        return Wait(candidate.pause.next_look(candidate.old_at))
    return judgement


def _unless_blocked(
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
    blocked = being_rung(candidate.number, traffic, at) or no_place(
        campaign, callback, candidate.number, policy, traffic, at
    )
    return judgement if blocked is None else _wait_for(blocked, campaign, candidate, at)


def _wait_for(blocked: Blocked, campaign: Campaign, candidate: Candidate, at: datetime) -> Wait:
    """Waiting for a place is our own rule and moves the expiry; for a person, or an agent's rest, not."""
    expires_at = candidate.expires_at
    # An agent who rests did not take a call: then nothing goes on that would end.
    if expires_at is not None and blocked.calls and blocked.reason in WAITS_FOR_A_PLACE:
        expires_at = max(expires_at, waits_until(campaign, candidate.due_at or at))
    old_at = None if expires_at is None else expires_at + candidate.ahead
    return Wait(next_look(blocked.until, old_at), blocked.reason, expires_at, blocked.calls)


def _judge_sms(sms: SmsPolicy, policy: Policy, at: datetime) -> Judgement:
    if sms.message_class is MessageClass.PROMOTIONAL:
        release_at = policy.quiet.release_at(at, policy.timezone)
        if release_at > at:
            return Hold(release_at, release_at + sms.give_up_after, Reason.QUIET_HOURS)
    return Go()


def _judge_callback(
    campaign: Campaign, callback: CallbackPolicy, candidate: Candidate, policy: Policy, at: datetime
) -> Judgement:
    # There is one such agent at most, so a list of nobody else has one.
    if len(callback.agents) == 1 and callback.agents[0].number == candidate.number:
        return Close(Outcome.DROPPED, Reason.AGENT_IS_CALLER)
    opening = first_opening(campaign, callback, policy, at, candidate.number)
    if isinstance(opening, Never):
        return Close(Outcome.DROPPED, opening.reason)
    release_at = opening.at
    if not fits(candidate.others, release_at, callback.max_per_hour):
        return Close(Outcome.DROPPED, Reason.MAX_PER_HOUR)
    if release_at > at:
        return Hold(release_at, release_at + callback.give_up_after, opening.reason)
    return Go()


def too_far_ahead(called_at: datetime, received_at: datetime) -> bool:
    """A call's own time this far in our future is a wrong clock, not a call to come."""
    return called_at > received_at + _WRONG_CLOCK
