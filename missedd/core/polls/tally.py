"""The tally of a poll: its rules, its counts, and its JSON for the API and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missedd.base.clock import to_iso
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


def tally_json(tally: Tally, options: Iterable[str], now: datetime) -> dict[str, Any]:
    """A poll as JSON: first the options of the configuration, then options that are no longer in it."""
    rules = tally.rules
    all_options = dict.fromkeys(options) | dict.fromkeys(sorted({option for option, _ in tally.counts}))
    return {
        "poll": rules.name,
        "state": poll_state(rules, now),
        "total": tally.total,
        "options": [{"option": option, "votes": tally.votes(option)} for option in all_options],
        "refused": {
            each.value: tally.count_with_status(each)
            for each in UNCOUNTED_STATUSES
            # Only where it can occur: the JSON of a poll without `countries` stays as it was.
            if each is not VoteStatus.FOREIGN or rules.countries is not None or tally.count_with_status(each)
        },
        "opens_at": to_iso(rules.opens_at),
        "closes_at": to_iso(rules.closes_at),
        "votes_per_number": rules.votes_per_number,
        "keep": rules.keep,
        **({} if rules.countries is None else {"countries": sorted(rules.countries)}),
    }
