"""The tally of a poll: its rules and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missedd.core.policy import PollPolicy
from missedd.core.polls.voting_rules import VoteStatus

UPCOMING, OPEN, CLOSED = "upcoming", "open", "closed"
POLL_STATES: Final = (UPCOMING, OPEN, CLOSED)
UNCOUNTED_STATUSES: Final = tuple(each for each in VoteStatus if each is not VoteStatus.COUNTED)


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes of one poll by (option, status), under the rules with which they were counted."""

    rules: PollPolicy
    counts: Mapping[tuple[str, str], int]

    def votes(self, option: str) -> int:
        return self.counts.get((option, VoteStatus.COUNTED), 0)

    @property
    def total(self) -> int:
        """The number of votes that count."""
        return self.count_with_status(VoteStatus.COUNTED)

    @property
    def calls(self) -> int:
        """All votes that came in. This number only grows, and with fixed rules no tally changes without
        it."""
        return sum(self.counts.values())

    def count_with_status(self, status: VoteStatus) -> int:
        return sum(count for (_, standing), count in self.counts.items() if standing == status)


def poll_state(rules: PollPolicy, now: datetime) -> str:
    if rules.opens_at is not None and now < rules.opens_at:
        return UPCOMING
    return CLOSED if rules.closes_at is not None and now >= rules.closes_at else OPEN
