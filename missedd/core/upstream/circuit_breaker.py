"""How a lane stands with its provider: well, in doubt after a failure, or held; and when it asks again.

    order refused by a closed port, three times in a row   -> held, provider-unreachable
    order answered 401, once                               -> held, provider-auth
    probes after 5, 10, 20, 40, 60, 60 … s; one is taken   -> well

A fault of the line or of the account is none of the call's. So what is due waits with its lane, nothing is
closed for it, and one request at a time finds out whether the provider takes them again. Instants are
seconds of a clock that never steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from missedd.core.reasons import REFUSES_ALL, Reason

PROBE_WAITS_S: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
"""From a failure to the next probe; the last one stays."""

IN_A_ROW: Final = 3
"""So many orders that failed without a success between are no accident."""


class Sign(StrEnum):
    """What the end of one order says of the provider and the account."""

    TAKEN = "taken"
    ANSWERED = "answered"
    """It was refused for what it asked, or for now: the provider is there."""
    UNREACHED = "unreached"
    """No connection: surely not sent."""
    FAILED = "failed"
    """An answer of 5xx: it may have had its effect."""
    THROTTLED = "throttled"
    """The SMS lane's 503: surely not sent."""
    LOST = "lost"
    """The answer never came: it says nothing, but a probe that ends so was not taken."""
    CREDENTIALS = "credentials"
    ACCOUNT = "account"


HOLDS_AFTER: Final[Mapping[Sign, tuple[int, Reason]]] = {
    Sign.UNREACHED: (IN_A_ROW, Reason.PROVIDER_UNREACHABLE),
    Sign.FAILED: (IN_A_ROW, Reason.PROVIDER_UNREACHABLE),
    Sign.THROTTLED: (1, Reason.PROVIDER_UNREACHABLE),
    Sign.CREDENTIALS: (1, Reason.PROVIDER_AUTH),
    Sign.ACCOUNT: (1, Reason.ACCOUNT_PROBLEM),
}
"""After how many failures in a row, the last of which is such a one, a lane is held, and why."""

OF_THE_ACCOUNT: Final = REFUSES_ALL
"""Holds both lanes: they share one account."""


@dataclass(frozen=True, slots=True)
class Course:
    """How one lane stands. `fails` counts orders, and later probes, that failed in a row."""

    fails: int = 0
    reason: Reason | None = None
    """Why the lane is held, or None while it is not."""
    since_s: float = 0.0
    probes: int = 0
    """How many probes failed since it is held."""
    asks_at_s: float = 0.0
    """When the next probe may go."""
    last: Sign | None = None
    """How the latest order failed; None once a look-up was answered since."""

    @property
    def burns(self) -> bool:
        """Whether the next order that fails may have its effect all the same."""
        return self.reason is Reason.PROVIDER_UNREACHABLE and self.last in (Sign.FAILED, Sign.LOST)

    @property
    def is_trouble(self) -> bool:
        """Whether a person should know. One 503 of the SMS lane is no more than its own rate limit."""
        return self.reason in OF_THE_ACCOUNT or (self.reason is not None and self.fails >= IN_A_ROW)


WELL: Final = Course()
IN_DOUBT: Final = Course(fails=IN_A_ROW - 1)
"""One more failure holds it at once: nobody knows yet whether a trouble is over."""


def after_order(
    course: Course, sign: Sign, began_s: float, now_s: float, wish_s: float | None = None
) -> Course:
    """How a lane stands after an order that began at `began_s` ended with this sign at `now_s`.

    `wish_s` is for how long the provider wants to be left alone, where it said so.
    """
    if course.reason is not None and began_s <= course.since_s:
        return course  # it was out already: it says nothing of what has changed
    if sign is Sign.TAKEN:
        return WELL
    if course.reason is None:
        if sign is Sign.ANSWERED:
            return WELL
        if sign is Sign.LOST:
            return course
        return _failed(course, sign, now_s, wish_s)
    if sign is Sign.ANSWERED and course.reason not in OF_THE_ACCOUNT:
        return WELL
    holds = HOLDS_AFTER.get(sign)
    if holds and holds[1] in OF_THE_ACCOUNT and holds[1] is not course.reason:
        return hold(holds[1], now_s, sign)  # reached again, and refused
    return _probed(course, sign, now_s, wish_s)


def after_look_up(course: Course, now_s: float, *, is_answered: bool) -> Course:
    """How a lane stands after a look-up that was its probe. Of the account a look-up says nothing.

    That something answers shows that the line is mended. Whether orders are taken only an order shows,
    which may go now; where the provider asked for rest, it keeps its own instant.
    """
    if course.reason is not Reason.PROVIDER_UNREACHABLE:
        return course
    if not is_answered:
        return _probed(course, course.last, now_s, None)
    match course.last:
        case Sign.UNREACHED:
            return WELL
        case Sign.THROTTLED:
            return course
        case _:
            return replace(course, last=None, asks_at_s=now_s)


def after_nothing(course: Course) -> Course:
    """How a lane stands whose look-up was answered while no action waits for the lane."""
    return IN_DOUBT if course.reason is Reason.PROVIDER_UNREACHABLE else course


def after_the_other(course: Course) -> Course:
    """How a lane stands once the other one's order was taken, which ends a trouble of the account there.

    One that was itself refused waits for an order of its own: an account may call and not text. What it
    only heard of is over, and there may never be an order in it to show that.
    """
    is_hearsay = course.reason in OF_THE_ACCOUNT and course.last not in (Sign.CREDENTIALS, Sign.ACCOUNT)
    return IN_DOUBT if is_hearsay else course


def hold(reason: Reason, now_s: float, last: Sign | None = None) -> Course:
    """A lane that is held from now on; without `last` the refusal came in the other one."""
    return Course(1, reason, now_s, 0, now_s + PROBE_WAITS_S[0], last)


def is_told(probes: int) -> bool:
    """Whether this many failed probes are worth a line: the 10th, the 100th …"""
    return probes >= 10 and str(probes).strip("0") == "1"


def _failed(course: Course, sign: Sign, now_s: float, wish_s: float | None) -> Course:
    most, reason = HOLDS_AFTER[sign]
    fails = course.fails + 1
    if fails < most:
        return Course(fails)
    return Course(fails, reason, now_s, 0, now_s + max(PROBE_WAITS_S[0], wish_s or 0.0), sign)


def _probed(course: Course, sign: Sign | None, now_s: float, wish_s: float | None) -> Course:
    probes = course.probes + 1
    wait_s = PROBE_WAITS_S[min(probes, len(PROBE_WAITS_S) - 1)]
    return replace(
        course,
        fails=course.fails + 1,
        probes=probes,
        asks_at_s=now_s + max(wait_s, wish_s or 0.0),
        last=sign,
    )
