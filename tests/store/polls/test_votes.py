"""Votes in the store: which ones count, in whichever order they arrive."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from missedd.core.api_types.polls import poll_json
from missedd.core.people.erasure import ErasureCause, ErasureResult
from missedd.core.polls.tally import Tally
from missedd.core.polls.voting_rules import VoteStatus
from missedd.store.admission.admit import preview_admission
from missedd.store.db.database import Database
from missedd.store.people.erase import erase_number
from missedd.store.people.suppressions import suppress
from missedd.store.polls import rule_changes
from missedd.store.polls.rule_changes import RuleChangeResult
from missedd.store.polls.tallies import rules_from_json, rules_to_json, tally
from missedd.store.polls.votes import COLUMN_OF_STATUS
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, OTHER, THIRD, minutes, poll, seconds, sms
from tests.store.polls.voting import ASHA, RAVI, counted_again, opened, vote, voting
from tests.store.steps import actions, admit_calls, rows, verdict_texts


async def counts(store: Store) -> dict[tuple[str, str], int]:
    """The tally, without what is zero."""
    found = await store.read(partial(tally, poll="singer"))
    assert isinstance(found, Tally)
    return {key: count for key, count in found.counts.items() if count}


async def _execute(db: Database, sql: str) -> None:
    await db.execute(sql)


@pytest.mark.sqlite
async def test_votes_from_abroad_are_kept_and_not_counted(store: Store, path: Path) -> None:
    of = voting(countries=frozenset({"IN"}))
    abroad, satellite = "+971501234567", "+881612345678"
    await opened(store, of)
    await admit_calls(store, vote("c1"), vote("c2", caller=abroad), vote("c3", caller=satellite), of=of)
    assert await counts(store) == {("Asha", "counted"): 1, ("Asha", "foreign"): 2}
    assert await actions(store) == [
        ("done", "recorded", "vote-counted"),
        ("done", "refused", "foreign-number"),
        ("done", "refused", "foreign-number"),
    ]
    assert counted_again(path).agrees
    told_of = await store.read(partial(tally, poll="singer"))
    assert isinstance(told_of, Tally)
    assert poll_json(told_of, ["Asha"], NOON).refused.foreign == 2
    assert poll_json(told_of, ["Asha"], NOON).countries == ["IN"]
    # Who is erased has no country any more, and stays what they were under any further rules.
    assert isinstance(
        await store.write(partial(erase_number, number=abroad, at=NOON, cause=ErasureCause.OPERATOR)),
        ErasureResult,
    )
    again = voting(countries=frozenset({"IN", "US"}))
    assert await opened(store, again) == [RuleChangeResult("singer", 3, 0, 1)]
    assert counted_again(path).agrees
    everybody = voting()
    assert await opened(store, everybody) == [RuleChangeResult("singer", 3, 2, 3)]
    assert counted_again(path).agrees
    told_of = await store.read(partial(tally, poll="singer"))
    assert isinstance(told_of, Tally)
    assert poll_json(told_of, ["Asha"], NOON).refused.by_reason() == {
        "surplus": 0,
        "replaced": 0,
        "early": 0,
        "late": 0,
    }


@pytest.mark.sqlite
async def test_a_vote_is_recorded_and_counted(store: Store, path: Path) -> None:
    of = voting()
    assert await opened(store, of) == [RuleChangeResult("singer", 0, 0, 0)]
    await admit_calls(store, vote("c1"), vote("c2", caller=OTHER), vote("c3", to=RAVI, caller=THIRD), of=of)
    assert await counts(store) == {("Asha", "counted"): 2, ("Ravi", "counted"): 1}
    assert await actions(store) == [("done", "recorded", "vote-counted")] * 3
    assert counted_again(path).agrees


@pytest.mark.parametrize(
    ("keep", "second"),
    [("first", ("done", "dropped", "vote-not-counted")), ("last", ("planned", None, "owed"))],
)
async def test_a_text_confirms_a_vote_that_counts_and_no_other(
    store: Store, keep: str, second: tuple[str, str | None, str]
) -> None:
    of = voting(keep=keep, closes_at=NOON + minutes(30))
    of = replace(of, campaigns=tuple(replace(each, sms=sms()) for each in of.campaigns))
    await opened(store, of)
    await admit_calls(store, vote("c1"), of=of)
    again = vote("c2", 1, to=RAVI)
    foreseen = await store.read(
        partial(preview_admission, call=again, policy=of, received_at=NOON + minutes(1))
    )
    (decided,) = await admit_calls(store, again, at=NOON + minutes(1), of=of)
    assert foreseen == decided.admission
    await admit_calls(store, vote("c3", 31, caller=OTHER), at=NOON + minutes(31), of=of)
    texts = await rows(store, "SELECT state, outcome, reason FROM actions WHERE kind = 'sms' ORDER BY id")
    assert texts == [("planned", None, "owed"), second, ("done", "dropped", "vote-not-counted")]
    waiting = await rows(store, "SELECT count(*) FROM actions WHERE wake_at IS NOT NULL")
    assert waiting == [(sum(state == "planned" for state, *_ in texts),)]


@pytest.mark.sqlite
async def test_out_of_hours_it_is_kept_and_refused_with_a_reason(store: Store, path: Path) -> None:
    of = voting(opens_at=NOON, closes_at=NOON + minutes(10))
    await opened(store, of)
    late = vote("c3", 10, caller=THIRD)
    await admit_calls(store, vote("c1", -1), vote("c2", 9.99, caller=OTHER), at=NOON + minutes(9.99), of=of)
    await admit_calls(store, late, vote("c4", 11, caller=OTHER), at=NOON + minutes(11), of=of)
    assert await actions(store, "outcome, reason") == [
        ("refused", "poll-not-open"),
        ("recorded", "vote-counted"),
        ("refused", "poll-closed"),
        ("refused", "poll-closed"),
    ]
    assert await counts(store) == {("Asha", "counted"): 1, ("Asha", "early"): 1, ("Asha", "late"): 2}
    # A call from before the closing that is told of long after it.
    await admit_calls(store, vote("c5", 8, RAVI, "+919800000005"), at=NOON + minutes(90), of=of)
    assert (await counts(store))["Ravi", "counted"] == 1
    assert counted_again(path).agrees


@pytest.mark.sqlite
@pytest.mark.parametrize("in_one_batch", [True, False])
@pytest.mark.parametrize(
    ("keep", "found", "reasons"),
    [
        (
            "first",
            {("Asha", "counted"): 1, ("Ravi", "surplus"): 1, ("Asha", "surplus"): 1},
            ["vote-counted", "vote-surplus", "vote-precedes-other"],
        ),
        (
            "last",
            {("Ravi", "counted"): 1, ("Asha", "replaced"): 2},
            ["vote-counted", "vote-replaces-earlier", "vote-replaced"],
        ),
    ],
)
async def test_a_call_told_of_late_takes_its_own_place(
    store: Store,
    path: Path,
    keep: str,
    found: dict[tuple[str, str], int],
    reasons: list[str],
    in_one_batch: bool,
) -> None:
    of = voting(keep=keep)
    await opened(store, of)
    calls = [vote("c2", 6), vote("c3", 12, RAVI), vote("c1", 0)]
    for batch in [calls] if in_one_batch else [[each] for each in calls]:
        await admit_calls(store, *batch, at=NOON + minutes(12), of=of)
    assert await counts(store) == found
    assert await actions(store, "outcome, reason") == [("recorded", each) for each in reasons]
    assert counted_again(path).agrees


@pytest.mark.sqlite
async def test_duplicates_and_suppressed_callers_vote_all_the_same(store: Store, path: Path) -> None:
    of = voting(votes_per_number=2)
    await opened(store, of)
    await store.write(
        partial(suppress, number=OTHER, reason="asked", source="api", now=NOON - minutes(9), until=None)
    )
    found = await admit_calls(
        store, vote("c1"), vote("c2", 1), vote("c3", 2), vote("c4", caller=OTHER), vote("c1"), of=of
    )
    assert verdict_texts(found) == ["accepted", "duplicate", "duplicate", "suppressed", "redelivered"]
    assert await counts(store) == {("Asha", "counted"): 3, ("Asha", "surplus"): 1}
    assert counted_again(path).agrees


@pytest.mark.sqlite
@pytest.mark.parametrize("keep", ["first", "last"])
@pytest.mark.parametrize("limit", [1, 3])
async def test_in_any_order_and_any_batches_it_is_what_a_recount_gives(
    store: Store, path: Path, keep: str, limit: int
) -> None:
    luck = Random(f"{keep} {limit}")
    of = voting(keep=keep, votes_per_number=limit, opens_at=NOON, closes_at=NOON + minutes(30))
    await opened(store, of)
    callers = [f"+9198000000{n:02d}" for n in range(12)]
    calls = [
        vote(f"c{n}", luck.randrange(-3, 34), luck.choice((ASHA, RAVI)), luck.choice(callers))
        for n in range(150)
    ]
    luck.shuffle(calls)
    while calls:
        size = luck.choice((1, 2, 20))
        batch, calls = calls[:size], calls[size:]
        await admit_calls(store, *batch, *batch[:1], at=NOON + minutes(34), of=of)
        assert counted_again(path).differences == []
    assert sum((await counts(store)).values()) == 150
    assert await rows(
        store,
        "SELECT max(n) FROM (SELECT count(*) AS n FROM votes WHERE standing = 'counted' GROUP BY number)",
    ) == [(limit,)]


@pytest.mark.sqlite
async def test_new_rules_count_every_vote_again(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_changes, "_PIECE", 4)
    first, last = voting(), voting(keep="last", votes_per_number=2, closes_at=NOON + minutes(8))
    await opened(store, first)
    callers = [CALLER, OTHER, THIRD]
    # More votes of one number than a piece holds, and a piece that ends within a number's votes.
    calls = [vote(f"a{n}", n, RAVI) for n in range(9)]
    calls += [vote(f"b{n}{i}", n, caller=each) for i, each in enumerate(callers) for n in range(3)]
    await admit_calls(store, *calls, at=NOON + minutes(10), of=first)
    assert await counts(store) == {("Asha", "counted"): 2, ("Ravi", "counted"): 1} | {
        ("Asha", "surplus"): 7,
        ("Ravi", "surplus"): 8,
    }
    assert await opened(store, first) == [], "nothing has changed"
    (done,) = await opened(store, last)
    assert done == RuleChangeResult("singer", votes=18, changed=18, total=6)
    assert await counts(store) == {("Asha", "counted"): 4, ("Ravi", "counted"): 2} | {
        ("Asha", "replaced"): 5,
        ("Ravi", "replaced"): 6,
        ("Ravi", "late"): 1,
    }
    assert counted_again(path).agrees
    await admit_calls(store, vote("z", 7.5, caller=OTHER), at=NOON + minutes(11), of=last)
    assert counted_again(path).agrees
    await opened(store, first)
    assert counted_again(path).agrees


@pytest.mark.sqlite
async def test_votes_from_before_there_were_polls_are_counted(store: Store, path: Path) -> None:
    of = voting()
    await opened(store, of)
    await admit_calls(
        store, vote("c1"), vote("c2", 1), vote("c3", 2, RAVI, OTHER), at=NOON + minutes(2), of=of
    )
    for statement in ("DELETE FROM votes", "DELETE FROM tallies", "DELETE FROM poll_rules"):
        await store.write(partial(_execute, sql=statement))
    assert await opened(store, of) == [RuleChangeResult("singer", 3, 2, 2)]
    assert await counts(store) == {("Asha", "counted"): 1, ("Asha", "surplus"): 1, ("Ravi", "counted"): 1}
    assert counted_again(path).agrees


def test_rules_are_kept_as_they_are_read() -> None:
    for rules in (
        poll(),
        poll(keep="last", votes_per_number=3, opens_at=NOON, closes_at=NOON + seconds(0.1)),
    ):
        assert rules_from_json("singer", rules_to_json(rules)) == rules


def test_every_standing_has_its_column() -> None:
    assert set(COLUMN_OF_STATUS) == set(VoteStatus)
