"""Which votes count: this depends on the set of a number's votes, in any order of arrival."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from missedd.core.api_types.polls import poll_json
from missedd.core.policy import PollPolicy
from missedd.core.polls.tally import Tally, poll_state
from missedd.core.polls.voting_rules import (
    REFUSED_STATUSES,
    Vote,
    VoteResult,
    VoteStatus,
    apply_vote,
    describe_vote,
    is_country_excluded,
    vote_statuses,
)
from missedd.core.reasons import Reason
from tests.core.campaigns import NOON, minutes, poll

COUNTED, SURPLUS, REPLACED = VoteStatus.COUNTED, VoteStatus.SURPLUS, VoteStatus.REPLACED
EARLY, LATE = VoteStatus.EARLY, VoteStatus.LATE

# Few different times, so that many are equal and many lie on the poll's bounds.
instants = st.integers(0, 6).map(lambda n: NOON + minutes(n))
rules = st.builds(
    PollPolicy,
    name=st.just("singer"),
    votes_per_number=st.integers(1, 4),
    keep=st.sampled_from(["first", "last"]),
    opens_at=st.none() | st.integers(0, 3).map(lambda n: NOON + minutes(n)),
    closes_at=st.none() | st.integers(4, 6).map(lambda n: NOON + minutes(n)),
)
votes = st.lists(
    st.builds(Vote, instants, st.sampled_from([f"c{n:02d}" for n in range(30)]), st.sampled_from("ab")),
    max_size=9,
    unique_by=lambda each: each.call_sid,
)


def one_by_one(arriving: list[Vote], of: PollPolicy) -> dict[Vote, VoteStatus]:
    """The statuses if each vote is applied when it arrives."""
    counted: tuple[Vote, ...] = ()
    kept: dict[Vote, VoteStatus] = {}
    for vote in arriving:
        done = apply_vote(counted, vote, of)
        counted = done.counted
        kept[vote] = done.status
        if done.displaced is not None:
            assert kept[done.displaced] is COUNTED
            assert done.displaced_status is not None
            kept[done.displaced] = done.displaced_status
        assert list(counted) == sorted(each for each, stands in kept.items() if stands is COUNTED)
    return kept


@given(votes, rules, st.randoms(use_true_random=False))
def test_votes_as_they_arrive_stand_as_all_of_them_counted_at_once(
    cast_votes: list[Vote], of: PollPolicy, luck: Random
) -> None:
    arriving = cast_votes.copy()
    luck.shuffle(arriving)
    assert one_by_one(arriving, of) == vote_statuses(cast_votes, of)


@given(votes, rules)
def test_what_counts(cast_votes: list[Vote], of: PollPolicy) -> None:
    stand = vote_statuses(cast_votes, of)
    timely = [each for each in cast_votes if stand[each] not in REFUSED_STATUSES]
    assert set(stand) == set(cast_votes)
    assert list(stand.values()).count(COUNTED) == min(len(timely), of.votes_per_number)
    for vote, standing in stand.items():
        assert (standing is EARLY) == (of.opens_at is not None and vote.called_at < of.opens_at)
        assert (standing is LATE) == (of.closes_at is not None and vote.called_at >= of.closes_at)
    others = REPLACED if of.keep == "last" else SURPLUS
    assert {stand[each] for each in timely} <= {COUNTED, others}
    for counted in (each for each in timely if stand[each] is COUNTED):
        for other in (each for each in timely if stand[each] is others):
            assert (counted < other) == (of.keep == "first")


def at(offset: float, sid: str = "", option: str = "Asha") -> Vote:
    return Vote(NOON + minutes(offset), sid or f"c{offset:g}", option)


@pytest.mark.parametrize(
    ("keep", "limit", "arrive", "expected", "reasons"),
    [
        ("first", 1, [0, 1, 2], {0: COUNTED, 1: SURPLUS, 2: SURPLUS}, ["counted", "surplus", "surplus"]),
        (
            "last",
            1,
            [0, 1, 2],
            {0: REPLACED, 1: REPLACED, 2: COUNTED},
            ["counted", *["replaces-earlier"] * 2],
        ),
        ("first", 2, [0, 1, 2], {0: COUNTED, 1: COUNTED, 2: SURPLUS}, ["counted", "counted", "surplus"]),
        ("last", 2, [0, 1, 2], {0: REPLACED, 1: COUNTED, 2: COUNTED}, ["counted"] * 2 + ["replaces-earlier"]),
        ("first", 1, [5, 1], {1: COUNTED, 5: SURPLUS}, ["counted", "precedes-other"]),
        ("last", 1, [5, 1], {1: REPLACED, 5: COUNTED}, ["counted", "replaced"]),
    ],
)
def test_each_vote_is_given_a_reason_when_it_comes(
    keep: str, limit: int, arrive: list[float], expected: dict[float, VoteStatus], reasons: list[str]
) -> None:
    of = poll(keep=keep, votes_per_number=limit)
    assert one_by_one([at(each) for each in arrive], of) == {at(each): to for each, to in expected.items()}
    counted: tuple[Vote, ...] = ()
    told_reasons = []
    for each in arrive:
        done = apply_vote(counted, at(each), of)
        counted = done.counted
        told_reasons.append(done.reason.removeprefix("vote-"))
    assert told_reasons == reasons


@pytest.mark.parametrize(
    ("minute", "standing", "reason"),
    [
        (-0.001, EARLY, Reason.POLL_NOT_OPEN),
        (0, COUNTED, Reason.VOTE_COUNTED),
        (9.999, COUNTED, Reason.VOTE_COUNTED),
        (10, LATE, Reason.POLL_CLOSED),
        (11, LATE, Reason.POLL_CLOSED),
    ],
)
def test_a_poll_is_open_from_its_opening_up_to_its_closing(
    minute: float, standing: VoteStatus, reason: Reason
) -> None:
    of = poll(opens_at=NOON, closes_at=NOON + minutes(10))
    done = apply_vote((), at(minute), of)
    assert (done.status, done.reason) == (standing, reason)
    assert done.counted == ((at(minute),) if standing is COUNTED else ())


def test_two_votes_of_one_instant_are_told_apart_by_their_callsids_and_not_by_who_came_first() -> None:
    one, two = at(0, "a"), at(0, "b", "Ravi")
    for arrive in ([one, two], [two, one]):
        assert one_by_one(arrive, poll()) == {one: COUNTED, two: SURPLUS}


def test_a_vote_out_of_hours_displaces_nothing() -> None:
    of = poll(keep="last", closes_at=NOON + minutes(10))
    assert apply_vote((at(1),), at(10), of) == VoteResult(LATE, None, None, (at(1),))


def test_a_standing_is_spelt() -> None:
    assert describe_vote("singer", "Asha", COUNTED) == "a vote for Asha in the poll singer: it counts"
    assert all(each.words for each in VoteStatus)
    assert describe_vote("singer", "Asha", "of-tomorrow").endswith(": of-tomorrow")


@pytest.mark.parametrize(
    ("opens", "closes", "state"),
    [
        (None, None, "open"),
        (0, None, "open"),
        (1, None, "upcoming"),
        (None, 0, "closed"),
        (-2, 1, "open"),
        (-2, -1, "closed"),
    ],
)
def test_the_state_is_by_the_clock(opens: int | None, closes: int | None, state: str) -> None:
    def instant(offset: int | None) -> datetime | None:
        return None if offset is None else NOON + minutes(offset)

    assert poll_state(poll(opens_at=instant(opens), closes_at=instant(closes)), NOON) == state


def test_a_poll_is_told_in_the_order_of_its_options() -> None:
    tally = Tally(
        poll(closes_at=NOON + minutes(1)),
        {("Asha", COUNTED): 3, ("Gone", COUNTED): 2, ("Asha", LATE): 4, ("Gone", SURPLUS): 1},
    )
    assert (tally.total, tally.calls) == (5, 10)
    assert to_builtins(poll_json(tally, ["Ravi", "Asha"], NOON)) == {
        "poll": "singer",
        "state": "open",
        "total": 5,
        "options": [
            {"option": "Ravi", "votes": 0},
            {"option": "Asha", "votes": 3},
            {"option": "Gone", "votes": 2},
        ],
        "refused": {"surplus": 1, "replaced": 0, "early": 0, "late": 4},
        "opens_at": None,
        "closes_at": "2026-11-23T06:31:00.000Z",
        "votes_per_number": 1,
        "keep": "first",
    }


def test_a_vote_of_a_country_that_is_left_out_displaces_nobody() -> None:
    of = poll(keep="last", countries=frozenset({"IN"}))
    assert not is_country_excluded(of, "+919876543210")
    assert is_country_excluded(of, "+18765551234")
    assert not is_country_excluded(poll(), "+18765551234")
    counted = (at(0),)
    done = apply_vote(counted, at(1), of, is_foreign=True)
    assert (done.status, done.displaced, done.counted) == (VoteStatus.FOREIGN, None, counted)
    assert done.reason is Reason.FOREIGN_NUMBER
    assert vote_statuses([at(0), at(1)], of, is_foreign=True) == dict.fromkeys(
        [at(0), at(1)], VoteStatus.FOREIGN
    )
