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
from missedd.core.sliding_cap import WINDOW, fits

EARLY: Final = timedelta(seconds=5)
"""How long before a verification's start its call may seem to be: the provider's seconds are whole,
and its clock may be a little behind ours."""


class Status(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    EXPIRED = "expired"


class Step(StrEnum):
    """What may happen to a verification."""

    RING = "ring"
    """Its number rang in time."""
    LAPSE = "lapse"
    """Somebody asks after its end, and is told."""
    SUPERSEDE = "supersede"
    """Another is started for the same number and campaign."""


TABLE: Final[dict[tuple[Status, Step], tuple[Status, Reason]]] = {
    (Status.PENDING, Step.RING): (Status.VERIFIED, Reason.VERIFIED),
    (Status.PENDING, Step.LAPSE): (Status.EXPIRED, Reason.NOT_RUNG_IN_TIME),
    (Status.PENDING, Step.SUPERSEDE): (Status.EXPIRED, Reason.SUPERSEDED),
}
"""What follows, and why. Nothing follows what is closed."""


@dataclass(frozen=True, slots=True)
class Verification:
    """As far as a call, a reader or a further start can matter to it."""

    id: str
    created_at: datetime
    expires_at: datetime
    status: Status = Status.PENDING

    def concerns(self, called_at: datetime) -> bool:
        """Whether a call of that time could have been meant for it."""
        return self.created_at - EARLY <= called_at


def attempt(latest: Verification | None, called_at: datetime) -> Reason:
    """What a call from the number to the campaign proves.

    `latest` is the latest started verification of the two that the call could have been meant for.
    It is verified if, and only if, the answer is `Reason.VERIFIED`.
    """
    if latest is None or latest.status is Status.VERIFIED:
        return Reason.NO_VERIFICATION_PENDING
    if latest.status is Status.EXPIRED or called_at >= latest.expires_at:
        return Reason.VERIFICATION_EXPIRED
    return TABLE[latest.status, Step.RING][1]


def supersession(pending: Verification, now: datetime) -> Step:
    """How a pending verification ends as another one is started."""
    return Step.LAPSE if has_lapsed(pending, now) else Step.SUPERSEDE


def has_lapsed(verification: Verification, now: datetime) -> bool:
    """Whether whoever asks now is told that it has expired."""
    return verification.status is Status.PENDING and now >= verification.expires_at


def may_start_at(starts: Iterable[datetime], now: datetime, max_per_hour: int) -> datetime:
    """When another verification of a number may start that has started these: now, or later.

    No sliding hour holds more than `max_per_hour` of them.
    """
    others = list(starts)
    instants = sorted({now, *(each + WINDOW for each in others if each + WINDOW > now)})
    return next(at for at in instants if fits(others, at, max_per_hour))


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Why a verification was not started, and from when on it may be, if time is all it needs."""

    reason: Reason
    retry_at: datetime | None = None
