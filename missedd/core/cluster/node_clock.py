"""A node's clock against the database's: how far they differ, and what follows from that.

Decisions about people, for example quiet hours and due times, use the node's clock. Two nodes whose clocks
differ would decide differently, so a node measures its difference to the one clock that all of them can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

WARN_SKEW_S: Final = 0.5
MAX_SKEW_S: Final = 2.0
"""A node whose clock differs by this much does not lead. It goes on taking in."""


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """By how much a node's clock is ahead of the database's; negative if it is behind."""

    ahead_s: float
    error_s: float
    """The measurement may be wrong by this much: half of the time that the database took to answer."""

    @property
    def at_least_s(self) -> float:
        """How large the difference is for certain."""
        return max(0.0, abs(self.ahead_s) - self.error_s)

    @property
    def is_worth_a_warning(self) -> bool:
        return self.at_least_s >= WARN_SKEW_S

    @property
    def forbids_leading(self) -> bool:
        return self.at_least_s >= MAX_SKEW_S


def measure_skew(asked_us: int, took_s: float, database_us: int) -> ClockSkew:
    """The skew, from one question to the database.

    `asked_us` is the node's time before the question, `database_us` is the answer; both are microseconds of
    Unix time. The answer came after `took_s` seconds. The database read its clock somewhere in between: with
    half of that time the error is at most the other half.
    """
    half_s = took_s / 2
    return ClockSkew((asked_us - database_us) / 1e6 + half_s, half_s)


class WrongClock(StrEnum):
    """Whose clock is probably wrong."""

    NODE = "this node's"
    DATABASE = "the database's"


def wrong_clock(node: int, ahead_s: Mapping[int, float]) -> WrongClock:
    """Whose clock is wrong, if node number `node` differs from the database.

    `ahead_s` has the skew of every living node by its number. Where most of the nodes agree with each other
    and not with the database, its clock is wrong. A node alone cannot tell, and suspects itself.
    """
    middle_s = median(ahead_s.values()) if ahead_s else 0.0
    agree = [each for each in ahead_s if abs(ahead_s[each] - middle_s) < WARN_SKEW_S]
    are_most = len(agree) >= 2 and 2 * len(agree) > len(ahead_s)
    if are_most and node in agree and abs(middle_s) >= WARN_SKEW_S:
        return WrongClock.DATABASE
    return WrongClock.NODE
