"""What is remembered of one caller as a call of theirs is decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.admission.callback_merge import PendingCallback
from missedd.core.model import Admission, Kind, Verdict
from missedd.core.people.consent import OptOut, apply_opt_out, apply_resubscribe
from missedd.core.people.suppression import Channel, Restriction
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import ANSWERED_REASONS

_CALL_VERDICTS: Final = (Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.SUPPRESSED)
"""What a missed call to a campaign of ours may be."""


@fast_dataclass(frozen=True, slots=True)
class KnownCall:
    """What was said of a CallSid before: its verdict and reason, and whether a proof of talk came since."""

    verdict: Verdict
    reason: str
    was_answered: bool = False

    @property
    def is_final(self) -> bool:
        """Whether no news of the call can change anything: it was taken, or its number is erased."""
        if self.verdict is Verdict.NOT_MISSED:
            return self.reason in ANSWERED_REASONS
        return self.was_answered or self.verdict is Verdict.REDELIVERED


@fast_dataclass(frozen=True, slots=True)
class UnansweredCallback:
    """A callback in which nobody talked with the caller."""

    placed_at: datetime
    ended_at: datetime


@dataclass(slots=True)
class CallerHistory:
    """What is remembered of one caller; a batch's later calls see its earlier ones through it.

    `accepted` holds (campaign, called_at) of accepted calls, `placed` (campaign, instant) of placed
    callbacks: all that a dedup window or a cap could reach. `owed` has the callback of each campaign
    that waits, `missed` how its latest callback ended, where nobody talked with the caller in it.
    """

    is_suppressed: bool = False
    """By anybody but the caller's own opting out."""
    opt_out: OptOut | None = None
    joined_at: datetime | None = None
    """The latest call that joined any list, where the batch has one that opts out."""
    restrictions: tuple[Restriction, ...] = ()
    """What refusals have taught about the number."""
    calls_refused_at: datetime | None = None
    """When the register refused the latest call of ours to it, while that bars our calls."""
    accepted: list[tuple[str, datetime]] = field(default_factory=list)
    placed: list[tuple[str, datetime]] = field(default_factory=list)
    pending_callbacks: dict[str, PendingCallback] = field(default_factory=dict)
    unanswered_callbacks: dict[str, UnansweredCallback] = field(default_factory=dict)

    def record_accepted(self, admission: Admission) -> None:
        if admission.verdict is not Verdict.ACCEPTED or admission.campaign is None:
            return
        self.accepted.append((admission.campaign, admission.called_at))

    def forget_accepted(self, admission: Admission) -> None:
        """Let a call that was accepted open no dedup window: as it turned out, somebody took it."""
        call = (admission.campaign or "", admission.called_at)
        self.accepted = [each for each in self.accepted if each != call]

    def lift_call_refusal(self, admission: Admission) -> bool:
        """Take in that the number rang: whether that lifts what the register refused. Who rings may be rung.

        It has to have rung since, by Exotel's whole seconds; a call that is told of late may be from before.
        """
        refused_at = self.calls_refused_at
        if refused_at is None or admission.verdict not in _CALL_VERDICTS:
            return False
        if admission.called_at < refused_at.replace(microsecond=0):
            return False
        self.calls_refused_at = None
        self.restrictions = tuple(each for each in self.restrictions if each.channel is not Channel.CALLS)
        return True

    def record_conversation(self, admission: Admission) -> None:
        """Let no callback for an earlier call of the campaign's wait any longer: somebody took a call."""
        owed = self.pending_callbacks.get(admission.campaign or "")
        if owed is not None and owed.called_at <= admission.called_at:
            del self.pending_callbacks[admission.campaign or ""]

    def record_list_events(
        self, admission: Admission, campaign: Campaign, call_id: int, received_at: datetime
    ) -> None:
        """Keep what a call about a list does to the caller's opting out."""
        at = admission.called_at
        kinds = [each.kind for each in admission.actions]
        if Kind.SUBSCRIBE in kinds:
            self.joined_at = max(at, self.joined_at or at)
            self.opt_out = apply_resubscribe(self.opt_out, at)
        if Kind.UNSUBSCRIBE in kinds and campaign.unsubscribe is not None and campaign.opts_callers_out:
            lasts = campaign.unsubscribe.suppress_for
            asked = OptOut(received_at, at, None if lasts is None else at + lasts, call_id)
            self.opt_out = apply_opt_out(self.opt_out, asked, self.joined_at, received_at)

    def returns_missed_callback(self, campaign: Campaign, called_at: datetime) -> bool:
        """Whether a call within the dedup window answers a callback that the caller missed.

        Exotel tells of times by the second, so the second in which the callback ended counts.
        """
        missed = self.unanswered_callbacks.get(campaign.name)
        return (
            missed is not None
            and called_at >= missed.ended_at.replace(microsecond=0)
            and any(
                name == campaign.name
                and at <= missed.placed_at
                and abs(called_at - at) < campaign.dedup_window
                for name, at in self.accepted
            )
        )


def history_lookback(policy: Policy) -> timedelta:
    """How far back and ahead a caller's history can matter: the longest window, at least the cap's hour."""
    return max([timedelta(hours=1), *(each.dedup_window for each in policy.campaigns)])
