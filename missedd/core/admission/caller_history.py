"""What is known about one caller when a call from them is decided."""

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
"""The verdicts that a missed call to a campaign can have."""


@fast_dataclass(frozen=True, slots=True)
class KnownCall:
    """The earlier decision on a CallSid: its verdict and reason, and whether the call was answered after
    all."""

    verdict: Verdict
    reason: str
    was_answered: bool = False

    @property
    def is_final(self) -> bool:
        """Whether no later report can change the decision: the call was answered, or its number is erased."""
        if self.verdict is Verdict.NOT_MISSED:
            return self.reason in ANSWERED_REASONS
        return self.was_answered or self.verdict is Verdict.REDELIVERED


@fast_dataclass(frozen=True, slots=True)
class UnansweredCallback:
    """A callback in which nobody spoke with the caller."""

    placed_at: datetime
    ended_at: datetime


@dataclass(slots=True)
class CallerHistory:
    """What is known about one caller. The later calls of a batch see the earlier ones through it.

    `accepted` holds (campaign, called_at) of accepted calls, `placed` (campaign, time) of placed callbacks:
    all that a dedup window or a cap can reach. `pending_callbacks` has the waiting callback of each campaign.
    `unanswered_callbacks` has the latest callback of each campaign, if nobody spoke with the caller in it.
    """

    is_suppressed: bool = False
    """Suppressed by anything except the caller's own opt-out."""
    opt_out: OptOut | None = None
    joined_at: datetime | None = None
    """The latest call that joined any list; loaded only if the batch has a call that opts out."""
    restrictions: tuple[Restriction, ...] = ()
    """What earlier refusals have taught about the number."""
    calls_refused_at: datetime | None = None
    """When the register refused our latest call to the number, as long as that refusal forbids calls."""
    accepted: list[tuple[str, datetime]] = field(default_factory=list)
    placed: list[tuple[str, datetime]] = field(default_factory=list)
    pending_callbacks: dict[str, PendingCallback] = field(default_factory=dict)
    unanswered_callbacks: dict[str, UnansweredCallback] = field(default_factory=dict)

    def record_accepted(self, admission: Admission) -> None:
        if admission.verdict is not Verdict.ACCEPTED or admission.campaign is None:
            return
        self.accepted.append((admission.campaign, admission.called_at))

    def forget_accepted(self, admission: Admission) -> None:
        """Remove an accepted call that was answered after all, so that it opens no dedup window."""
        call = (admission.campaign or "", admission.called_at)
        self.accepted = [each for each in self.accepted if each != call]

    def lift_call_refusal(self, admission: Admission) -> bool:
        """Lift the register's refusal of calls if this call is newer. Returns whether the refusal was lifted.

        A number that calls us asks for a call. Exotel's times are whole seconds, so the second of the refusal
        counts. A call that is delivered late may be older than the refusal; such a call lifts nothing.
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
        """Remove the campaign's waiting callback for this call or an earlier one, because somebody answered a
        call."""
        pending = self.pending_callbacks.get(admission.campaign or "")
        if pending is not None and pending.called_at <= admission.called_at:
            del self.pending_callbacks[admission.campaign or ""]

    def record_list_events(
        self, admission: Admission, campaign: Campaign, call_id: int, received_at: datetime
    ) -> None:
        """Apply the call's subscribe and unsubscribe actions to the caller's opt-out."""
        at = admission.called_at
        kinds = [each.kind for each in admission.actions]
        if Kind.SUBSCRIBE in kinds:
            self.joined_at = max(at, self.joined_at or at)
            self.opt_out = apply_resubscribe(self.opt_out, at)
        if Kind.UNSUBSCRIBE in kinds and campaign.unsubscribe is not None and campaign.opts_callers_out:
            duration = campaign.unsubscribe.suppress_for
            requested = OptOut(received_at, at, None if duration is None else at + duration, call_id)
            self.opt_out = apply_opt_out(self.opt_out, requested, self.joined_at, received_at)


def history_lookback(policy: Policy) -> timedelta:
    """How far back and ahead a caller's history matters: the longest dedup window, at least the cap's
    hour."""
    return max([timedelta(hours=1), *(each.dedup_window for each in policy.campaigns)])
