"""What is remembered of one caller as a call of theirs is decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from missedd.base.value_type import value
from missedd.core.admission.callback_merge import OwedCallback
from missedd.core.model import Admission, Kind, Verdict
from missedd.core.people.consent import OptOut, joined_again, opted_out
from missedd.core.people.suppression import Bar, Channel
from missedd.core.policy import Campaign, Policy
from missedd.core.reasons import PROOFS

_RINGS: Final = (Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.SUPPRESSED)
"""What a missed call to a campaign of ours may be."""


@value(frozen=True, slots=True)
class Seen:
    """What was said of a CallSid before: its verdict and reason, and whether a proof of talk came since."""

    verdict: Verdict
    reason: str
    is_reached: bool = False

    @property
    def is_final(self) -> bool:
        """Whether no news of the call can change anything: it was taken, or its number is erased."""
        if self.verdict is Verdict.NOT_MISSED:
            return self.reason in PROOFS
        return self.is_reached or self.verdict is Verdict.REDELIVERED


@value(frozen=True, slots=True)
class MissedCallback:
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
    bars: tuple[Bar, ...] = ()
    """What refusals have taught about the number."""
    calls_refused_at: datetime | None = None
    """When the register refused the latest call of ours to it, while that bars our calls."""
    accepted: list[tuple[str, datetime]] = field(default_factory=list)
    placed: list[tuple[str, datetime]] = field(default_factory=list)
    owed: dict[str, OwedCallback] = field(default_factory=dict)
    missed: dict[str, MissedCallback] = field(default_factory=dict)

    def remember(self, admission: Admission) -> None:
        if admission.verdict is not Verdict.ACCEPTED or admission.campaign is None:
            return
        self.accepted.append((admission.campaign, admission.called_at))

    def forget(self, admission: Admission) -> None:
        """Let a call that was accepted open no dedup window: as it turned out, somebody took it."""
        call = (admission.campaign or "", admission.called_at)
        self.accepted = [each for each in self.accepted if each != call]

    def rings_again(self, admission: Admission) -> bool:
        """Take in that the number rang: whether that lifts what the register refused. Who rings may be rung.

        It has to have rung since, by Exotel's whole seconds; a call that is told of late may be from before.
        """
        refused_at = self.calls_refused_at
        if refused_at is None or admission.verdict not in _RINGS:
            return False
        if admission.called_at < refused_at.replace(microsecond=0):
            return False
        self.calls_refused_at = None
        self.bars = tuple(each for each in self.bars if each.channel is not Channel.CALLS)
        return True

    def spoken_with(self, admission: Admission) -> None:
        """Let no callback for an earlier call of the campaign's wait any longer: somebody took a call."""
        owed = self.owed.get(admission.campaign or "")
        if owed is not None and owed.called_at <= admission.called_at:
            del self.owed[admission.campaign or ""]

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

    def rings_back(self, campaign: Campaign, called_at: datetime) -> bool:
        """Whether a call within the dedup window answers a callback that the caller missed.

        Exotel tells of times by the second, so the second in which the callback ended counts.
        """
        missed = self.missed.get(campaign.name)
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


def dedup_reach(policy: Policy) -> timedelta:
    """How far back and ahead a caller's history can matter: the longest window, at least the cap's hour."""
    return max([timedelta(hours=1), *(each.dedup_window for each in policy.campaigns)])
