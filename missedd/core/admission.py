"""What a missed call leads to, decided once: a verdict, its reason, its actions.

The order of the rules is the contract; the first that applies is the verdict. Nothing is read
here but the arguments: the store calls `decide` inside the transaction that records its result,
so two deliveries of one call, or two calls of one caller, cannot both see the past without the
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from missedd.core.consent import OptOut, joined_again, opted_out
from missedd.core.gates import Candidate, Close, Go, Hold, Wait, judge, sms_policy, too_far_ahead
from missedd.core.model import (
    Admission,
    InboundCall,
    Kind,
    Outcome,
    Plan,
    PlannedAction,
    State,
    Verdict,
)
from missedd.core.pauses import Pause
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import Reason

NO_PAUSES: Final[Mapping[str, Pause]] = {}


@dataclass(slots=True)
class CallerHistory:
    """What is remembered of one caller; a batch's later calls see its earlier ones through it.

    `accepted` holds (campaign, called_at) of accepted calls, `callbacks` (campaign, instant) of
    callbacks placed or still pending: all that a dedup window or a cap could reach.
    """

    is_suppressed: bool = False
    """By anybody but the caller's own opting out."""
    opt_out: OptOut | None = None
    joined_at: datetime | None = None
    """The latest call that joined any list, where the batch has one that opts out."""
    refuses_sms: bool = False
    accepted: list[tuple[str, datetime]] = field(default_factory=list)
    callbacks: list[tuple[str, datetime]] = field(default_factory=list)

    def remember(self, admission: Admission) -> None:
        if admission.verdict is not Verdict.ACCEPTED or admission.campaign is None:
            return
        self.accepted.append((admission.campaign, admission.called_at))
        self.callbacks += [
            (admission.campaign, each.due_at)
            for each in admission.actions
            if each.kind is Kind.CALLBACK and each.state is not State.DONE
        ]

    def remember_wishes(
        self, admission: Admission, campaign: Campaign, call_id: int, received_at: datetime
    ) -> None:
        """Keep what a call about a list does to the caller's opting out."""
        at = admission.called_at
        kinds = [each.kind for each in admission.actions]
        if Kind.SUBSCRIBE in kinds:
            self.joined_at = max(at, self.joined_at or at)
            self.opt_out = joined_again(self.opt_out, at)
        if Kind.UNSUBSCRIBE in kinds and campaign.unsubscribe is not None and campaign.opts_out:
            lasts = campaign.unsubscribe.suppress_for
            asked = OptOut(received_at, at, None if lasts is None else at + lasts, call_id)
            self.opt_out = opted_out(self.opt_out, asked, self.joined_at, received_at)


def decide(
    call: InboundCall,
    policy: Policy,
    seen: Verdict | None,
    history: CallerHistory,
    received_at: datetime,
    pauses: Mapping[str, Pause] = NO_PAUSES,
) -> Admission:
    """Decide one call. `seen` is the verdict its CallSid was given before, None for a new one; `pauses`
    are those in force, by campaign.

    A CallSid that was `not-missed` is decided again: Exotel tells of an agent's phone ringing and
    of the end of the same call under one CallSid.
    """
    called_at = own_time(call, received_at)
    campaign, exophone = _campaign(call, policy)
    name = campaign.name if campaign else None

    def verdict(verdict: Verdict, reason: Reason, *actions: PlannedAction) -> Admission:
        return Admission(verdict, reason, name, exophone, called_at, actions)

    if seen is not None and (seen is not Verdict.NOT_MISSED or call.not_missed is not None):
        return verdict(Verdict.REDELIVERED, Reason.ALREADY_SEEN)
    if call.not_missed is not None:
        return verdict(Verdict.NOT_MISSED, call.not_missed)
    if campaign is None:
        return verdict(Verdict.UNKNOWN_EXOPHONE, Reason.NO_SUCH_EXOPHONE)
    if call.caller is None:
        return verdict(Verdict.NO_CALLER_ID, Reason.WITHHELD_NUMBER)
    recorded = _recorded(campaign, called_at)
    if history.is_suppressed or history.opt_out is not None:
        # Who opted out may join again: their word put them on the list, and their word takes them off.
        joins = () if history.is_suppressed else (Kind.SUBSCRIBE,)
        quiet = (Kind.VOTE, Kind.UNSUBSCRIBE, Kind.VERIFY, *joins)
        kept = (each for each in recorded if each.kind in quiet)
        return verdict(Verdict.SUPPRESSED, Reason.CALLER_SUPPRESSED, *kept)
    if _within_window(campaign, history, called_at):
        kept = (each for each in recorded if each.kind is not Kind.LEAD)
        return verdict(Verdict.DUPLICATE, Reason.WITHIN_DEDUP_WINDOW, *kept)
    owed = _owed(campaign, policy, history, pauses.get(campaign.name), called_at, received_at)
    return verdict(Verdict.ACCEPTED, Reason.FIRST_CALL, *recorded, *owed)


def own_time(call: InboundCall, received_at: datetime) -> datetime:
    """The call's own time, or its receipt where that is missing or a wrong clock's."""
    if call.called_at is None or too_far_ahead(call.called_at, received_at):
        return received_at
    return call.called_at


def _campaign(call: InboundCall, policy: Policy) -> tuple[Campaign | None, str | None]:
    for number in call.dialled:
        campaign = policy.campaign_of(number)
        if campaign is not None:
            return campaign, number
    return None, call.dialled[0] if call.dialled else None


def _within_window(campaign: Campaign, history: CallerHistory, called_at: datetime) -> bool:
    # In either direction: a late delivery of a call just before an accepted one is the same wish.
    return any(
        name == campaign.name and abs(called_at - accepted_at) < campaign.dedup_window
        for name, accepted_at in history.accepted
    )


def _recorded(campaign: Campaign, called_at: datetime) -> list[PlannedAction]:
    """What contacts nobody and is done with the call itself, in the order of `Kind`."""

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


def _owed(
    campaign: Campaign,
    policy: Policy,
    history: CallerHistory,
    pause: Pause | None,
    called_at: datetime,
    received_at: datetime,
) -> Iterator[PlannedAction]:
    """What goes out to somebody, each already through its gates once."""
    plan = _plan_of(campaign, called_at)
    if campaign.webhook is not None:
        candidate = Candidate(Kind.WEBHOOK, campaign.name, plan, None)
        yield _gated(candidate, policy, called_at, called_at, received_at)
    sms = sms_policy(campaign, plan)
    if sms is not None:
        candidate = Candidate(
            Kind.SMS,
            campaign.name,
            plan,
            expires_at=called_at + sms.give_up_after,
            refuses_sms=history.refuses_sms,
            pause=pause,
        )
        yield _gated(candidate, policy, called_at, called_at, received_at)
    if campaign.callback is not None:
        candidate = Candidate(
            Kind.CALLBACK,
            campaign.name,
            plan,
            expires_at=called_at + campaign.callback.give_up_after,
            # Who opts out by this very call is texted the confirmation, and nothing else.
            is_suppressed=campaign.opts_out,
            others=tuple(at for name, at in history.callbacks if name == campaign.name),
            pause=pause,
        )
        yield _gated(candidate, policy, called_at, called_at + campaign.callback.delay, received_at)


def verified_webhook(
    campaign: Campaign, policy: Policy, called_at: datetime, verification_id: str, received_at: datetime
) -> Iterator[PlannedAction]:
    """The webhook that tells of a verification that this call proved, where the campaign has one."""
    if campaign.webhook is not None:
        candidate = Candidate(Kind.WEBHOOK, campaign.name, _plan_of(campaign, called_at), None)
        planned = _gated(candidate, policy, called_at, called_at, received_at)
        yield replace(planned, details={"verification": verification_id})


def _plan_of(campaign: Campaign, called_at: datetime) -> Plan:
    is_open = campaign.hours is None or campaign.hours.is_open(called_at)
    return Plan.OPEN if is_open else Plan.AFTER_HOURS


def plan_retry(
    campaign: Campaign,
    policy: Policy,
    retry_index: int,
    plan: Plan,
    others: tuple[datetime, ...],
    now: datetime,
    *,
    is_reached: bool = False,
) -> PlannedAction | None:
    """The callback that follows an unanswered one, if the campaign wants another; counted and gated anew.

    `retry_index` is that of the unanswered one (0 for the first callback); `others` and `is_reached` as
    in `Candidate`.
    """
    if campaign.callback is None or retry_index >= len(campaign.callback.retries):
        return None
    due_at = now + campaign.callback.retries[retry_index]
    candidate = Candidate(
        Kind.CALLBACK,
        campaign.name,
        plan,
        expires_at=due_at + campaign.callback.give_up_after,
        others=others,
        is_reached=is_reached,
    )
    return _gated(candidate, policy, now, due_at, now, retry_index + 1, Reason.RETRY_UNANSWERED)


def _gated(
    candidate: Candidate,
    policy: Policy,
    base_at: datetime,
    due_at: datetime,
    now: datetime,
    retry_index: int = 0,
    reason: Reason | None = None,
) -> PlannedAction:
    """Plan an action as its gates see it at the instant it would go: due, or now if that is past."""
    kind, plan, expires_at = candidate.kind, candidate.plan, candidate.expires_at
    judgement = judge(candidate, policy, max(due_at, now))
    state, outcome, look_at = State.PLANNED, None, None
    why = reason or (Reason.OWED if plan is Plan.OPEN else Reason.OWED_AFTER_HOURS)
    match judgement:
        case Go():
            pass
        case Hold(until, later_expiry, held_for):
            state, due_at, expires_at, why = State.HELD, until, later_expiry, held_for
        case Wait(until, held_for):
            state, look_at, why = State.HELD, until, held_for
        case Close(closed_as, closed_for):
            state, outcome, why = State.DONE, closed_as, closed_for
    return PlannedAction(
        kind, state, base_at, due_at, expires_at, why, outcome, plan, retry_index, look_at=look_at
    )


def dedup_reach(policy: Policy) -> timedelta:
    """How far back and ahead a caller's history can matter: the longest window, at least the cap's hour."""
    return max([timedelta(hours=1), *(each.dedup_window for each in policy.campaigns)])
