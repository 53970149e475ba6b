"""A poll counted again from its calls, by itself: for whoever wants to check a tally, or sign it.

Reads on one view of the database, beside a daemon that may be running, and row by row: the calls
with their vote actions on one side, the votes as they are kept on the other, both in the order of
the voters. Nothing of a million votes is held but the one voter's that are compared.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from missedd.base.clock import from_us
from missedd.core.polls.signed_result import VoteDigests
from missedd.core.polls.tally import Tally
from missedd.core.polls.voting_rules import Vote, is_country_excluded, vote_statuses
from missedd.store.db.database import StoreRefused
from missedd.store.db.integrity import recovery_advice
from missedd.store.db.migrate import LATEST_VERSION
from missedd.store.db.read_access import check_database_exists
from missedd.store.db.read_only import open_read_only
from missedd.store.polls.tallies import SELECT_COUNTS, parse_tally

DIFFERENCES_SHOWN: Final = 20

type StoredVotes = dict[Vote, list[str]]
"""A voter's votes, each with its standing: one, or the database is not as we left it."""


@dataclass(slots=True)
class Recount:
    """What the calls say of a poll, beside what is kept of it."""

    stored: Tally
    recounted: Tally
    voter_count: int
    difference_count: int = 0
    """Differences in all; `differences` has the first of them."""
    differences: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not self.difference_count

    def add_difference(self, what: str) -> None:
        self.difference_count += 1
        if len(self.differences) < DIFFERENCES_SHOWN:
            self.differences.append(what)


@contextmanager
def open_snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """A reading connection on which nothing changes. Raises `StoreRefused`."""
    check_database_exists(path)
    try:
        with closing(open_read_only(path)) as reading:
            reading.execute("BEGIN")
            (version,) = reading.execute("PRAGMA user_version").fetchone()
            if version != LATEST_VERSION:
                raise StoreRefused(
                    f"the database has schema version {version}, this missedd reads {LATEST_VERSION}"
                )
            yield reading
    except sqlite3.Error as failure:
        raise StoreRefused(recovery_advice(path, failure)) from failure


def stored_tally(reading: sqlite3.Connection, poll: str) -> Tally | None:
    """The tally as the daemon keeps it; None if there is no such poll."""
    found = reading.execute("SELECT rules FROM poll_rules WHERE poll = ?", (poll,)).fetchone()
    if found is None:
        return None
    return parse_tally(poll, found[0], reading.execute(f"{SELECT_COUNTS} WHERE poll = ?", (poll,)).fetchall())


def recount_from_calls(reading: sqlite3.Connection, tally: Tally) -> Recount:
    """Judge every call of a poll by its rules, and compare with each vote and with the tally."""
    counts: Counter[tuple[str, str]] = Counter()
    done = Recount(tally, Tally(tally.rules, counts), 0)
    for number, cast, stored in _voters(reading, tally.rules.name):
        done.voter_count += bool(cast)
        is_foreign = is_country_excluded(
            tally.rules, number, (each for votes in stored.values() for each in votes)
        )
        for vote, standing in vote_statuses(cast, tally.rules, is_foreign=is_foreign).items():
            counts[vote.option, standing] += 1
            if stored.get(vote) != [standing]:
                said = " and ".join(stored.get(vote, ["missing"]))
                done.add_difference(f"call {vote.call_sid}: {standing} by the calls, its vote is {said}")
        for vote in sorted(stored.keys() - cast):
            done.add_difference(f"call {vote.call_sid}: has a vote for {vote.option} that no call gave")
    for option, named in sorted(counts.keys() | tally.counts.keys()):
        told, counted = (each.get((option, named), 0) for each in (tally.counts, counts))
        if told != counted:
            done.add_difference(f"option {option}: {counted} {named} by the calls, the tally says {told}")
    return done


def vote_digests(reading: sqlite3.Connection, poll: str) -> VoteDigests:
    """The digests of the votes that count."""
    of_all = _Digest()
    by_option: defaultdict[str, _Digest] = defaultdict(_Digest)
    for call_sid, option in reading.execute(_COUNTED, (poll,)):
        of_all.add(call_sid)
        by_option[option].add(call_sid)
    return VoteDigests(str(of_all), {option: str(each) for option, each in by_option.items()})


class _Digest:
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


def _voters(reading: sqlite3.Connection, poll: str) -> Iterator[tuple[str, set[Vote], StoredVotes]]:
    """Each voter's votes by the calls, and as they are kept: two ordered streams in step."""
    told = groupby(reading.execute(_VOTES_BY_CALLS, (poll,)), itemgetter(0))
    kept = groupby(reading.execute(_STORED_VOTES, (poll,)), itemgetter(0))
    left, right = next(told, None), next(kept, None)
    while left is not None or right is not None:
        number = min(each[0] for each in (left, right) if each is not None)
        cast: set[Vote] = set()
        stored: StoredVotes = {}
        if left is not None and left[0] == number:
            cast = {Vote(from_us(at_us), sid, option) for _, at_us, sid, option in left[1]}
            left = next(told, None)
        if right is not None and right[0] == number:
            for _, at_us, sid, option, standing in right[1]:
                stored.setdefault(Vote(from_us(at_us), sid, option), []).append(standing)
            right = next(kept, None)
        yield number, cast, stored
