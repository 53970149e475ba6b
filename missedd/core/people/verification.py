"""Whether a missed call proves that a number is somebody's own.

A verification waits for a call from its number to its campaign, by the call's own time, until it
expires. It is closed once: verified by one call, which verifies nothing else; or expired, which is
final as soon as it has been told, though a call that came in time may be delivered after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from missedd.core.reasons import Reason
from missedd.core.sliding_cap import CAP_WINDOW, is_under_cap

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""How long before a verification's start its call may seem to be: the provider's seconds are whole,
and its clock may be a little behind ours."""


class VerificationStatus(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    EXPIRED = "expired"


class VerificationEvent(StrEnum):
    """What may happen to a verification."""

    CALL_RECEIVED = "ring"
    """Its number rang in time."""
    EXPIRE = "lapse"
    """Somebody asks after its end, and is told."""
    SUPERSEDE = "supersede"
    """Another is started for the same number and campaign."""


VERIFICATION_TRANSITIONS: Final[
    dict[tuple[VerificationStatus, VerificationEvent], tuple[VerificationStatus, Reason]]
] = {
    (VerificationStatus.PENDING, VerificationEvent.CALL_RECEIVED): (
        VerificationStatus.VERIFIED,
        Reason.VERIFIED,
    ),
    (VerificationStatus.PENDING, VerificationEvent.EXPIRE): (
        VerificationStatus.EXPIRED,
        Reason.NOT_RUNG_IN_TIME,
    ),
    (VerificationStatus.PENDING, VerificationEvent.SUPERSEDE): (
        VerificationStatus.EXPIRED,
        Reason.SUPERSEDED,
    ),
}
"""What follows, and why. Nothing follows what is closed."""


@dataclass(frozen=True, slots=True)
class Verification:
    """As far as a call, a reader or a further start can matter to it."""

    id: str
    created_at: datetime
    expires_at: datetime
    status: VerificationStatus = VerificationStatus.PENDING

    def may_match(self, called_at: datetime) -> bool:
        """Whether a call of that time could have been meant for it."""
        return self.created_at - CLOCK_TOLERANCE <= called_at


def check_call(latest: Verification | None, called_at: datetime) -> Reason:
    """What a call from the number to the campaign proves.

    `latest` is the latest started verification of the two that the call could have been meant for.
    It is verified if, and only if, the answer is `Reason.VERIFIED`.
    """
    if latest is None or latest.status is VerificationStatus.VERIFIED:
        return Reason.NO_VERIFICATION_PENDING
    if latest.status is VerificationStatus.EXPIRED or called_at >= latest.expires_at:
        return Reason.VERIFICATION_EXPIRED
    return VERIFICATION_TRANSITIONS[latest.status, VerificationEvent.CALL_RECEIVED][1]


def superseding_event(pending: Verification, now: datetime) -> VerificationEvent:
    """How a pending verification ends as another one is started."""
    return VerificationEvent.EXPIRE if has_expired(pending, now) else VerificationEvent.SUPERSEDE


def has_expired(verification: Verification, now: datetime) -> bool:
    """Whether whoever asks now is told that it has expired."""
    return verification.status is VerificationStatus.PENDING and now >= verification.expires_at


def next_start_at(starts: Iterable[datetime], now: datetime, max_per_hour: int) -> datetime:
    """When another verification of a number may start that has started these: now, or later.

    No sliding hour holds more than `max_per_hour` of them.
    """
    others = list(starts)
    instants = sorted({now, *(each + CAP_WINDOW for each in others if each + CAP_WINDOW > now)})
    return next(at for at in instants if is_under_cap(others, at, max_per_hour))


@dataclass(frozen=True, slots=True)
class VerificationRefusal:
    """Why a verification was not started, and from when on it may be, if time is all it needs."""

    reason: Reason
    retry_at: datetime | None = None
