"""Which votes count: the standing of every vote of one number in one poll.

A standing depends on the *set* of the number's votes and on the poll's rules, never on the order in
which they arrived: votes outside the poll's hours, by the call's own time, and those of a country that
it leaves out do not count; among the others the first `votes_per_number` do, or the last where later
votes replace earlier ones. So a call that is told of late may displace a vote that counted until then.

`vote_statuses` is this rule as it is meant. `apply_vote` gives the same, a vote at a time, from no more than
the votes that count so far: what a poll with a million voters can afford.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from missedd.core.contact_countries import is_in_countries
from missedd.core.people.erasure import is_erased
from missedd.core.policy import PollPolicy
from missedd.core.reasons import Reason


class Vote(NamedTuple):
    """One vote of a number in a poll. They are ordered by time, and by CallSid where times are equal."""

    called_at: datetime
    call_sid: str
    option: str


class VoteStatus(StrEnum):
    """Whether a vote counts, and if not, why. It changes when an earlier call is told of later."""

    words: str

    def __new__(cls, name: str, words: str = "") -> VoteStatus:
        member = str.__new__(cls, name)
        member._value_ = name
        member.words = words
        return member

    COUNTED = "counted", "it counts"
    SURPLUS = "surplus", "it does not count: the number's votes were used up"
    REPLACED = "replaced", "it does not count: a later vote of the number took its place"
    EARLY = "early", "it does not count: the poll had not opened when the call was made"
    LATE = "late", "it does not count: the poll had closed when the call was made"
    FOREIGN = "foreign", "it does not count: the number is of a country whose votes the poll does not count"


REFUSED_STATUSES: Final = (VoteStatus.EARLY, VoteStatus.LATE, VoteStatus.FOREIGN)
"""These are refused. The others are recorded, and which of them count may still change."""


class VoteResult(NamedTuple):
    """What one more vote makes of a number's votes in a poll."""

    status: VoteStatus
    displaced: Vote | None
    """The vote that counted until now and does no longer."""
    displaced_status: VoteStatus | None
    counted: tuple[Vote, ...]
    """The votes that count now, in their order."""

    @property
    def reason(self) -> Reason:
        """Why the new vote stands as it does, at the time it is recorded."""
        if self.displaced is None:
            return _REASONS[self.status]
        came_late = self.displaced_status is VoteStatus.SURPLUS
        return Reason.VOTE_PRECEDES_OTHER if came_late else Reason.VOTE_REPLACES_EARLIER


_REASONS: Final = {
    VoteStatus.COUNTED: Reason.VOTE_COUNTED,
    VoteStatus.SURPLUS: Reason.VOTE_SURPLUS,
    VoteStatus.REPLACED: Reason.VOTE_REPLACED,
    VoteStatus.EARLY: Reason.POLL_NOT_OPEN,
    VoteStatus.LATE: Reason.POLL_CLOSED,
    VoteStatus.FOREIGN: Reason.FOREIGN_NUMBER,
}


def is_country_excluded(rules: PollPolicy, number: str, stored_statuses: Iterable[str] = ()) -> bool:
    """Whether the poll counts no votes of this number's country.

    Of an erased number nothing tells the country any more: it stays what its votes are `stored_statuses` as.
    """
    if rules.countries is None:
        return False
    return (
        VoteStatus.FOREIGN in stored_statuses
        if is_erased(number)
        else not is_in_countries(rules.countries, number)
    )


def vote_statuses(
    votes: Iterable[Vote], rules: PollPolicy, *, is_foreign: bool = False
) -> dict[Vote, VoteStatus]:
    """How each vote of one number stands, given all of them."""
    ordered = sorted(votes)
    timely = [each for each in ordered if _refusal_status(each, rules, is_foreign) is None]
    if rules.keep == "first":
        count, others = timely[: rules.votes_per_number], VoteStatus.SURPLUS
    else:
        count, others = timely[-rules.votes_per_number :], VoteStatus.REPLACED
    counted = set(count)
    return {
        each: _refusal_status(each, rules, is_foreign) or (VoteStatus.COUNTED if each in counted else others)
        for each in ordered
    }


def apply_vote(
    counted: Sequence[Vote], vote: Vote, rules: PollPolicy, *, is_foreign: bool = False
) -> VoteResult:
    """How a new vote of a number stands, given those that count so far, in their order."""
    refused = _refusal_status(vote, rules, is_foreign)
    if refused is not None:
        return VoteResult(refused, None, None, tuple(counted))
    together = list(counted)
    insort(together, vote)
    if len(together) <= rules.votes_per_number:
        return VoteResult(VoteStatus.COUNTED, None, None, tuple(together))
    keeps_first = rules.keep == "first"
    others = VoteStatus.SURPLUS if keeps_first else VoteStatus.REPLACED
    displaced = together.pop(-1 if keeps_first else 0)
    if displaced == vote:
        return VoteResult(others, None, None, tuple(counted))
    return VoteResult(VoteStatus.COUNTED, displaced, others, tuple(together))


def _refusal_status(vote: Vote, rules: PollPolicy, is_foreign: bool) -> VoteStatus | None:
    if rules.opens_at is not None and vote.called_at < rules.opens_at:
        return VoteStatus.EARLY
    if rules.closes_at is not None and vote.called_at >= rules.closes_at:
        return VoteStatus.LATE
    return VoteStatus.FOREIGN if is_foreign else None


def describe_vote(poll: str, option: str, status: str) -> str:
    """A vote and how it stands, in words."""
    try:
        return f"a vote for {option} in the poll {poll}: {VoteStatus(status).words}"
    except ValueError:
        # Written by a newer missedd: the name alone still says something.
        return f"a vote for {option} in the poll {poll}: {status}"
