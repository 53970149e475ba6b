"""Whether a missed call proves that somebody owns a number.

A verification waits for a call from its number to its campaign, by the call's own time, until it expires. It
closes once. Either one call verifies it, and that call verifies nothing else; or it expires. An expiry is
final as soon as the application has received it, even if a call that came in time is delivered later.
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
"""How long before the start of a verification its call may seem to be: the provider's times are whole
seconds, and the provider's clock may be a little behind ours."""


class VerificationStatus(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    EXPIRED = "expired"


class VerificationEvent(StrEnum):
    """What can happen to a verification."""

    CALL_RECEIVED = "ring"
    """Its number called in time."""
    EXPIRE = "lapse"
    """Somebody asks for it after its end and is told that it has expired."""
    SUPERSEDE = "supersede"
    """Another verification is started for the same number and campaign."""


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
"""The next status and its reason. Nothing follows a closed verification."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The part of a verification that decisions need. Times are UTC."""

    id: str
    created_at: datetime
    expires_at: datetime
    status: VerificationStatus = VerificationStatus.PENDING

    def may_match(self, called_at: datetime) -> bool:
        """Whether a call at this time could have been meant for it."""
        return self.created_at - CLOCK_TOLERANCE <= called_at


def check_call(latest: Verification | None, called_at: datetime) -> Reason:
    """What a call from the number to the campaign proves.

    `latest` is the latest verification of the two for which the call could have been meant. It is verified if
    and only if the result is `Reason.VERIFIED`.
    """
    if latest is None or latest.status is VerificationStatus.VERIFIED:
        return Reason.NO_VERIFICATION_PENDING
    if latest.status is VerificationStatus.EXPIRED or called_at >= latest.expires_at:
        return Reason.VERIFICATION_EXPIRED
    return VERIFICATION_TRANSITIONS[latest.status, VerificationEvent.CALL_RECEIVED][1]


def superseding_event(pending: Verification, now: datetime) -> VerificationEvent:
    """How a pending verification ends when another one is started."""
    return VerificationEvent.EXPIRE if has_expired(pending, now) else VerificationEvent.SUPERSEDE


def has_expired(verification: Verification, now: datetime) -> bool:
    """Whether the answer to a question at `now` is that it has expired."""
    return verification.status is VerificationStatus.PENDING and now >= verification.expires_at


def next_start_at(starts: Iterable[datetime], now: datetime, max_per_hour: int) -> datetime:
    """When another verification of a number may start, given the times of earlier starts: `now` or later.

    No sliding hour may hold more than `max_per_hour` starts.
    """
    others = list(starts)
    instants = sorted({now, *(each + CAP_WINDOW for each in others if each + CAP_WINDOW > now)})
    return next(at for at in instants if is_under_cap(others, at, max_per_hour))


@dataclass(frozen=True, slots=True)
class VerificationRefusal:
    """Why a verification was not started, and from when on it may be, if waiting helps."""

    reason: Reason
    retry_at: datetime | None = None
