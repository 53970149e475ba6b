"""Tallies: what they cost, what the story of a vote says, and a recount of a database file."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from missedd.core.api_types.actions import VoteJson
from missedd.core.explain.call import explain_call as explained
from missedd.store.admission.admit import admit
from missedd.store.db.database import StoreRefused
from missedd.store.polls.recount import open_snapshot, vote_digests
from missedd.store.polls.tallies import tally
from missedd.store.reads.reader import call_trace
from missedd.store.store import Store
from tests.core.campaigns import INDIA, NOON, OTHER, THIRD, call, campaign, minutes, policy, poll
from tests.store.polls.voting import RAVI, counted_again, opened, vote, voting
from tests.store.steps import admit_calls, rows


async def test_a_poll_reads_once_for_a_batch_and_writes_once_a_table(store: Store) -> None:
    of = voting()
    await opened(store, of)
    statements: list[str] = []

    class Counting:
        """The database that it is given, telling what is asked of it."""

        def __init__(self, db: object) -> None:
            self._db = db

        def __getattr__(self, name: str) -> object:
            method = getattr(self._db, name)
            if name == "engine":
                return method

            def run(sql: str, *params: object) -> object:
                statements.append(f"{name} {' '.join(sql.split())}")
                return method(sql, *params)

            return run

    calls = [vote(f"c{n}", caller=f"+9198000000{n:02d}") for n in range(50)]

    async def unit(db: object) -> None:
        await admit(Counting(db), calls, of, NOON)  # type: ignore[arg-type]

    for at in (0, 1):
        calls = [replace(each, call_sid=f"{each.call_sid}-{at}") for each in calls]
        statements.clear()
        await store.write(unit)
        about = [each for each in statements if " votes " in each or " tallies " in each]
        assert [each.partition(" ")[0] for each in about] == ["fetch_all", *["executemany"] * 3]


async def test_where_nobody_votes_nothing_of_polls_is_asked(store: Store) -> None:
    await admit_calls(store, call(), of=policy(campaign(), polls=(poll(),)))
    assert await rows(store, "SELECT * FROM votes") == []
    assert await store.read(partial(tally, poll="singer")) is None


async def test_the_story_tells_how_a_vote_stands_now(store: Store) -> None:
    of = voting()
    await opened(store, of)
    await admit_calls(store, vote("c2", 6), at=NOON + minutes(6), of=of)
    await admit_calls(store, vote("c1", 0, RAVI), at=NOON + minutes(7), of=of)
    told, words = {}, {}
    for sid in ("c1", "c2"):
        story = await store.read(partial(call_trace, call_sid=sid))
        assert story is not None
        (action,) = story.actions
        told[sid] = (action.outcome, action.reason, action.vote)
        words[sid] = explained(story, NOON, INDIA)
    assert "recorded; the call was delivered late; the vote was made earlier" in words["c1"]
    assert "a vote for Ravi in the poll singer: it counts." in words["c1"]
    assert "a vote for Asha in the poll singer: it does not count: the number had no" in words["c2"]
    assert told == {
        "c1": (
            "recorded",
            "vote-precedes-other",
            VoteJson("singer", "Ravi", "counted"),
        ),
        "c2": ("recorded", "vote-counted", VoteJson("singer", "Asha", "surplus")),
    }


async def test_the_story_of_a_refused_vote_says_why(store: Store) -> None:
    of = voting(closes_at=NOON)
    await opened(store, of)
    await admit_calls(store, vote("c1"), of=of)
    story = await store.read(partial(call_trace, call_sid="c1"))
    assert story is not None
    words = explained(story, NOON, INDIA)
    assert "vote (action 1): kept, but refused by the poll's rules; the call came after" in words
    assert "[poll-closed]" in words


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("mischief", "complaints"),
    [
        (
            "UPDATE tallies SET votes = votes + 1 WHERE option = 'Asha'",
            ["option Asha: 2 counted by the calls"],
        ),
        (
            "UPDATE votes SET standing = 'counted' WHERE call_sid = 'c2'",
            ["call c2: surplus by the calls, its vote is counted"],
        ),
        ("DELETE FROM votes WHERE call_sid = 'c3'", ["call c3: counted by the calls, its vote is missing"]),
        (
            "UPDATE votes SET option = 'Ravi' WHERE call_sid = 'c1'",
            [
                "call c1: counted by the calls, its vote is missing",
                "call c1: has a vote for Ravi that no call gave",
            ],
        ),
        (
            "INSERT INTO votes SELECT poll, '+91999', standing, called_at, 'x', option FROM votes LIMIT 1",
            ["call x: has a vote for"],
        ),
        (
            "INSERT INTO votes SELECT poll, number, 'late', called_at, call_sid, option FROM votes "
            "WHERE call_sid = 'c1'",
            ["call c1: counted by the calls, its vote is counted and late"],
        ),
        ("INSERT INTO tallies (poll, option, early) VALUES ('singer', 'Zia', 1)", ["option Zia: 0 early"]),
        (
            "UPDATE calls SET called_at = called_at + 900000000 WHERE call_sid = 'c1'",
            ["call c1: ", "call c1: "],
        ),
    ],
)
async def test_a_recount_finds_what_does_not_agree(
    store: Store, path: Path, mischief: str, complaints: list[str]
) -> None:
    of = voting()
    await opened(store, of)
    calls = (vote("c1"), vote("c2", 6), vote("c3", 0, caller=OTHER), vote("c4", 0, RAVI, THIRD))
    await admit_calls(store, *calls, at=NOON + minutes(6), of=of)
    assert counted_again(path).agrees
    await store.write(lambda db: db.execute(mischief))
    found = counted_again(path)
    assert not found.agrees
    for complaint in complaints:
        assert any(each.startswith(complaint) for each in found.differences), found.differences


@pytest.mark.sqlite
async def test_the_digest_is_of_the_sorted_callsids_that_count(store: Store, path: Path) -> None:
    of = voting()
    await opened(store, of)
    await admit_calls(
        store, vote("b"), vote("a", caller=OTHER), vote("c", 0, RAVI, THIRD), vote("d", 1), of=of
    )
    with open_snapshot(path) as reading:
        found = vote_digests(reading, "singer")
    # printf 'a\nb\nc' | sha256sum, and so on.
    assert found.total == "ea7fb08b7a2dc4619ffb7c7bb38d95a2047935fa165d71b12efd3852a2e6d0cc"
    assert found.by_option == {
        "Asha": "7e18f737311b2dc3b2f269dd78396b0351f14fb66efa879f768cb23181883c78",
        "Ravi": "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6",
    }


@pytest.mark.sqlite
def test_a_recount_wants_a_database_of_this_version(path: Path) -> None:
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA user_version = 3")
    old.close()
    with pytest.raises(StoreRefused, match="schema version 3"), open_snapshot(path):
        pass
    with pytest.raises(StoreRefused, match="there is no database"), open_snapshot(path / "none"):
        pass
