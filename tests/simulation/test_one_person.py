"""P11's rules themselves, and those of places, on a few calls: what breaks them, and what only looks so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simulator.invariants.concurrency_limits import ConcurrencyLimit, calls_over_limit
from simulator.invariants.one_callback_a_person import CallbackTrigger, overlapping_calls, repeated_calls
from simulator.invariants.placed_calls import NO_END, PlacedCall

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ASHA, BELA, AGENT = "+919811100001", "+919811100002", "+919800000001"


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def a_call(
    since: float,
    until: float | None,
    number: str = ASHA,
    *,
    campaign: str = "shop",
    agent: str | None = None,
    talked_from: float | None = None,
) -> PlacedCall:
    return PlacedCall(
        sid=f"{campaign} {since}",
        action=f"{since}",
        campaign=campaign,
        number=number,
        agent=agent,
        since=at(since),
        until=NO_END if until is None else at(until),
        talked_from=None if talked_from is None else at(talked_from),
    )


def broken(*calls: PlacedCall, limit: int | None = 1) -> list[tuple[str, str]]:
    return [(call.sid, number) for call, number, _ in overlapping_calls(calls, lambda number: limit)]


def test_a_second_order_breaks_it_whoever_makes_it_until_the_first_has_ended() -> None:
    first = a_call(0, 3)
    assert broken(first, a_call(1, 2)) == [("shop 1", ASHA)]
    assert broken(first, a_call(1, 2, campaign="clinic")) == [("clinic 1", ASHA)]
    assert broken(first, a_call(1, 2, BELA)) == []
    assert broken(first, a_call(3, 4)) == []


def test_two_orders_of_one_instant_are_one_too_many_and_so_is_one_beside_a_call_without_an_end() -> None:
    assert len(broken(a_call(0, 3), a_call(0, 3, campaign="clinic"))) == 1
    assert broken(a_call(0, None), a_call(600, 601)) == [("shop 600", ASHA)]


def test_a_short_call_within_a_long_one_does_not_hide_it() -> None:
    assert broken(a_call(0, 9), a_call(1, 2), a_call(5, 6)) == [("shop 1", ASHA), ("shop 5", ASHA)]


@pytest.mark.parametrize(("limit", "count"), [(1, 2), (2, 1), (3, 0), (None, 0)])
def test_an_agent_has_as_many_calls_as_the_limit_says(limit: int | None, count: int) -> None:
    calls = [a_call(0, 9, f"{ASHA[:-1]}{index}", agent=AGENT) for index in range(3)]
    assert broken(*calls, limit=limit) == [("shop 0", AGENT)] * count


def test_an_agent_who_is_called_back_too_is_a_caller_like_any_other() -> None:
    assert broken(a_call(0, 9, agent=AGENT), a_call(1, 2, AGENT), limit=None) == [("shop 1", AGENT)]
    assert broken(a_call(0, 9, AGENT), a_call(1, 2, agent=AGENT), limit=None) == [("shop 1", AGENT)]
    assert broken(a_call(0, 9, AGENT, agent=AGENT), limit=None) == [("shop 0", AGENT)]


def again(*calls: PlacedCall, wishes: tuple[CallbackTrigger, ...] = ()) -> list[tuple[str, bool]]:
    return [(call.sid, is_wished) for call, _, is_wished in repeated_calls(calls, wishes)]


def a_wish(minutes: float, *, told: float | None = None, campaign: str = "shop") -> CallbackTrigger:
    return CallbackTrigger(ASHA, campaign, at(minutes), at(minutes if told is None else told))


TALK = a_call(0, 3, talked_from=0.5)


def test_who_was_spoken_with_is_called_again_only_by_another_campaign() -> None:
    assert again(TALK, a_call(5, 6)) == [("shop 5", False)]
    assert again(TALK, a_call(5, 6, campaign="clinic")) == []
    assert again(TALK, a_call(5, 6, BELA)) == []
    assert again(a_call(0, 3), a_call(5, 6)) == []


@pytest.mark.parametrize(
    ("wish", "is_wished"),
    [
        (a_wish(4), True),
        (a_wish(1), True),
        (a_wish(0.2), False),
        (a_wish(6), False),
        (a_wish(4, told=7), False),
        (a_wish(4, campaign="clinic"), False),
    ],
    ids=["after", "during", "before it", "after the order", "told after the order", "another campaign's"],
)
def test_or_if_they_rang_since_the_talk_began(wish: CallbackTrigger, is_wished: bool) -> None:
    assert again(TALK, a_call(5, 6), wishes=(wish,)) == [("shop 5", is_wished)]


def test_the_latest_talk_counts() -> None:
    later = a_call(5, 6, talked_from=5.5)
    found = again(TALK, later, a_call(8, 9), wishes=(a_wish(4),))
    assert found == [("shop 5", True), ("shop 8", False)]


@pytest.mark.parametrize(("most", "broken_at"), [(4, []), (3, ["shop 2"]), (2, ["shop 1", "shop 2"])])
def test_two_numbers_take_two_places_until_their_call_has_ended(most: int, broken_at: list[str]) -> None:
    calls = [a_call(0, 9), a_call(1, 5, BELA, agent=AGENT), a_call(2, 3, f"{ASHA[:-1]}9"), a_call(9, 10)]
    found = calls_over_limit(ConcurrencyLimit("channels", most, calls, lambda call: len(call.numbers)))
    assert [call.sid for call, _ in found] == broken_at
