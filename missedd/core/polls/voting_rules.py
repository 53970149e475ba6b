"""Which votes count: the standing of every vote of one number in one poll.

Example: with `votes_per_number = 1` and `keep = "first"`, the call of 20:01 counts and the call of 20:05 is
surplus, even if Exotel delivered the call of 20:05 first.

The standing depends only on the *set* of the number's votes and on the poll's rules, never on the order of
arrival. Two kinds of votes do not count: votes outside the poll's hours, by the call's own time, and votes
from a country that the poll leaves out. Among the others the first `votes_per_number` count, or the last ones
where later votes replace earlier ones. So a call that is delivered late may displace a vote that counted.

`vote_statuses` is the definition of this rule. `apply_vote` gives the same result one vote at a time and
reads only the votes that count so far, because a poll may have a million voters.
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
    """One vote of a number in a poll. Votes are ordered by time, then by CallSid."""

    called_at: datetime
    call_sid: str
    option: str


class VoteStatus(StrEnum):
    """Whether a vote counts, and why not. The status changes if an earlier call is delivered later."""

    words: str

    def __new__(cls, name: str, words: str = "") -> VoteStatus:
        member = str.__new__(cls, name)
        member._value_ = name
        member.words = words
        return member

    COUNTED = "counted", "it counts"
    SURPLUS = "surplus", "it does not count: the number had no votes left"
    REPLACED = "replaced", "it does not count: a later vote of the number replaced it"
    EARLY = "early", "it does not count: the call came before the poll opened"
    LATE = "late", "it does not count: the call came after the poll closed"
    FOREIGN = "foreign", "it does not count: the poll does not count votes from the number's country"


REFUSED_STATUSES: Final = (VoteStatus.EARLY, VoteStatus.LATE, VoteStatus.FOREIGN)
"""Votes with one of these are refused. The others are recorded, and which of the others count may still
change."""


class VoteResult(NamedTuple):
    """The result of one more vote of a number in a poll."""

    status: VoteStatus
    displaced: Vote | None
    """The vote that counted until now and no longer counts."""
    displaced_status: VoteStatus | None
    counted: tuple[Vote, ...]
    """The votes that count now, oldest first."""

    @property
    def reason(self) -> Reason:
        """The reason of the new vote at the moment it is recorded."""
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
    """Whether the poll leaves out the country of this number (E.164, or the pseudonym of an erased number).

    A pseudonym has no country. So an erased number keeps the status that its votes had: `stored_statuses`.
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
    """The status of each vote of one number, given all its votes."""
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
    """The status of a new vote of a number, given the votes that count so far, oldest first."""
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
    """A vote and its status, in words."""
    try:
        return f"a vote for {option} in the poll {poll}: {VoteStatus(status).words}"
    except ValueError:
        # A newer missedd wrote this status: its name alone still helps.
        return f"a vote for {option} in the poll {poll}: {status}"
