"""Recount a poll from its calls alone, to check its tally or to sign it.

The recount reads one snapshot of the database, even while a daemon is running. It reads two streams row by
row, both in the order of the voters: the calls with their vote actions, and the stored votes. So only one
voter's votes are in memory at a time, even of a million votes.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Final

from missedd.base.clock import from_us
from missedd.config.store_location import PostgresqlLocation, StoreLocation
from missedd.core.polls.signed_result import VoteDigests
from missedd.core.polls.tally import Tally
from missedd.core.polls.voting_rules import Vote, is_country_excluded, vote_statuses
from missedd.store.db.snapshot import DatabaseSnapshot
from missedd.store.polls.tallies import SELECT_COUNTS, parse_tally
from missedd.store.sqlite.snapshot import open_file_snapshot

DIFFERENCES_SHOWN: Final = 20

type StoredVotes = dict[Vote, list[str]]
"""A voter's votes, each with its statuses; more than one status is a difference to report."""


@dataclass(slots=True)
class Recount:
    """The tally by the calls beside the stored tally."""

    stored: Tally
    recounted: Tally
    voter_count: int
    difference_count: int = 0
    """The number of all differences; `differences` has the first `DIFFERENCES_SHOWN`."""
    differences: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not self.difference_count

    def add_difference(self, what: str) -> None:
        self.difference_count += 1
        if len(self.differences) < DIFFERENCES_SHOWN:
            self.differences.append(what)


def open_snapshot(location: StoreLocation) -> AbstractContextManager[DatabaseSnapshot]:
    """One snapshot of the database, even while daemons write to it; raises `StoreRefused`."""
    if isinstance(location, PostgresqlLocation):
        # Only whoever configures a PostgreSQL loads its client library.
        from missedd.store.postgresql.snapshot import open_shared_snapshot

        return open_shared_snapshot(location)
    return open_file_snapshot(location)


def stored_tally(snapshot: DatabaseSnapshot, poll: str) -> Tally | None:
    """The tally that the daemon keeps; None if there is no such poll."""
    rules = next(snapshot.rows("SELECT rules FROM poll_rules WHERE poll = ?", (poll,)), None)
    if rules is None:
        return None
    counts = list(snapshot.rows(SELECT_COUNTS, (poll,)))
    return parse_tally(poll, rules[0], counts)


def recount_from_calls(snapshot: DatabaseSnapshot, tally: Tally) -> Recount:
    """Judge every call of a poll by its rules, and compare the result with each vote and with the tally."""
    counts: Counter[tuple[str, str]] = Counter()
    recount = Recount(tally, Tally(tally.rules, counts), 0)
    for number, cast, stored in _voters(snapshot, tally.rules.name):
        recount.voter_count += bool(cast)
        is_foreign = is_country_excluded(
            tally.rules, number, (status for statuses in stored.values() for status in statuses)
        )
        for vote, status in vote_statuses(cast, tally.rules, is_foreign=is_foreign).items():
            counts[vote.option, status] += 1
            if stored.get(vote) != [status]:
                found = " and ".join(stored.get(vote, ["missing"]))
                recount.add_difference(f"call {vote.call_sid}: {status} by the calls, its vote is {found}")
        for vote in sorted(stored.keys() - cast):
            recount.add_difference(f"call {vote.call_sid}: has a vote for {vote.option} that no call gave")
    for key in sorted(counts.keys() | tally.counts.keys()):
        option, status_name = key
        stored_count, counted = tally.counts.get(key, 0), counts.get(key, 0)
        if stored_count != counted:
            recount.add_difference(
                f"option {option}: {counted} {status_name} by the calls, the tally says {stored_count}"
            )
    return recount


def vote_digests(snapshot: DatabaseSnapshot, poll: str) -> VoteDigests:
    """The digests of the counted votes, of all and by option."""
    of_all = _Digest()
    by_option: defaultdict[str, _Digest] = defaultdict(_Digest)
    for call_sid, option in snapshot.rows(_COUNTED, (poll,)):
        of_all.add(call_sid)
        by_option[option].add(call_sid)
    return VoteDigests(str(of_all), {option: str(digest) for option, digest in by_option.items()})


class _Digest:
    """SHA-256 of CallSids, one a line, without a newline at the end."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._before = b""

    def add(self, call_sid: str) -> None:
        self._hash.update(self._before + call_sid.encode())
        self._before = b"\n"

    def __str__(self) -> str:
        return self._hash.hexdigest()


_COUNTED = "SELECT call_sid, option FROM votes WHERE poll = ? AND standing = 'counted' ORDER BY call_sid"
_VOTES_BY_CALLS = """
SELECT a.number, c.called_at, c.call_sid, a.details ->> '$.option'
FROM actions a JOIN calls c ON c.id = a.call_id
WHERE a.kind = 'vote' AND a.details ->> '$.poll' = ? ORDER BY a.number"""
_STORED_VOTES = (
    "SELECT number, called_at, call_sid, option, standing FROM votes WHERE poll = ? ORDER BY number"
)


def _voters(snapshot: DatabaseSnapshot, poll: str) -> Iterator[tuple[str, set[Vote], StoredVotes]]:
    """Each voter's number, votes by the calls, and stored votes: a merge of two ordered streams."""
    by_calls = groupby(snapshot.rows(_VOTES_BY_CALLS, (poll,)), itemgetter(0))
    by_votes = groupby(snapshot.rows(_STORED_VOTES, (poll,)), itemgetter(0))
    left, right = next(by_calls, None), next(by_votes, None)
    while left is not None or right is not None:
        number = min(side[0] for side in (left, right) if side is not None)
        cast: set[Vote] = set()
        stored: StoredVotes = {}
        if left is not None and left[0] == number:
            cast = {Vote(from_us(at_us), sid, option) for _, at_us, sid, option in left[1]}
            left = next(by_calls, None)
        if right is not None and right[0] == number:
            for _, at_us, sid, option, status in right[1]:
                stored.setdefault(Vote(from_us(at_us), sid, option), []).append(status)
            right = next(by_votes, None)
        yield number, cast, stored
