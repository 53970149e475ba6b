"""Agents take turns in their duty hours, and the next time when an agent is on duty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.agent_rotation import Agent, next_duty_start, rotation_order
from missedd.core.business_hours import BusinessHours, WeeklyWindow
from tests.core.campaigns import INDIA, NO_HOLIDAYS, NOON, ist

EVERY_DAY = frozenset(range(7))


def shift(start: int, end: int, days: frozenset[int] = EVERY_DAY) -> BusinessHours:
    return BusinessHours((WeeklyWindow(days, time(start), time(end)),), NO_HOLIDAYS, INDIA)


MORNING, EVENING, NIGHT = shift(9, 13), shift(13, 19), shift(22, 6)
A, B, C = Agent("+91900000001"), Agent("+91900000002", MORNING), Agent("+91900000003", EVENING)


@pytest.mark.parametrize(
    ("agents", "last", "at", "chosen"),
    [
        ((A, B, C), None, "11:00", A),
        ((A, B, C), A.number, "11:00", B),
        ((A, B, C), B.number, "11:00", A),
        ((A, B, C), A.number, "14:00", C),
        ((A, B, C), C.number, "14:00", A),
        ((A, B, C), A.number, "20:00", A),
        ((B, C), B.number, "11:00", B),
        ((B, C), None, "20:00", None),
        ((B, C), B.number, "13:00", C),
        ((A, B), "+919999999999", "11:00", A),
        ((), None, "11:00", None),
    ],
)
def test_the_next_on_duty_after_the_last(
    agents: Sequence[Agent], last: str | None, at: str, chosen: Agent | None
) -> None:
    assert next(iter(rotation_order(agents, last, ist(f"2026-11-23 {at}"))), None) == chosen


def test_everybody_on_duty_is_rung_before_anybody_again() -> None:
    agents = [Agent(f"+9190000000{n:02}") for n in range(5)]
    last, rung = None, []
    for _ in range(10):
        chosen = rotation_order(agents, last, NOON)[0]
        last = chosen.number
        rung.append(chosen)
    assert rung == [*agents, *agents]


@pytest.mark.parametrize(
    ("agents", "at", "expected"),
    [
        ((A, B), "2026-11-23 03:00", "2026-11-23 03:00"),
        ((B, C), "2026-11-23 12:59", "2026-11-23 12:59"),
        ((B, C), "2026-11-23 19:00", "2026-11-24 09:00"),
        ((C,), "2026-11-23 12:00", "2026-11-23 13:00"),
        ((B, Agent("+911", NIGHT)), "2026-11-23 20:00", "2026-11-23 22:00"),
        ((Agent("+911", shift(9, 13, frozenset({5}))),), "2026-11-23 10:00", "2026-11-28 09:00"),
        ((), "2026-11-23 10:00", None),
    ],
)
def test_when_somebody_is_on_duty_again(agents: Sequence[Agent], at: str, expected: str | None) -> None:
    assert next_duty_start(agents, ist(at)) == (None if expected is None else ist(expected))


HOURS = st.sampled_from([None, MORNING, EVENING, NIGHT, shift(0, 0)])
AGENTS = st.lists(HOURS, max_size=4).map(
    lambda found: [Agent(f"+9190000000{n:02}", hours) for n, hours in enumerate(found)]
)
INSTANTS = st.integers(0, 7 * 24 * 60).map(lambda minute: NOON + timedelta(minutes=minute))


@given(AGENTS, st.none() | st.sampled_from([f"+9190000000{n:02}" for n in range(5)]), INSTANTS)
def test_who_is_chosen_is_on_duty_and_nobody_before_them_is(
    agents: list[Agent], last: str | None, at: datetime
) -> None:
    chosen = rotation_order(agents, last, at)
    on_duty = [each for each in agents if each.is_on_duty(at)]
    if not chosen:
        assert on_duty == []
        return
    numbers = [each.number for each in agents]
    start = numbers.index(last) + 1 if last in numbers else 0
    steps = {each.number: (n - start) % len(agents) for n, each in enumerate(agents)}
    assert sorted(on_duty, key=lambda each: steps[each.number]) == chosen


@given(AGENTS, INSTANTS)
def test_the_next_instant_is_the_first(agents: list[Agent], at: datetime) -> None:
    found = next_duty_start(agents, at)
    if found is None:
        assert agents == []
        return
    assert any(each.is_on_duty(found) for each in agents)
    minutes_before = range(int((found - at) / timedelta(minutes=30)))
    assert not any(each.is_on_duty(at + timedelta(minutes=30 * n)) for n in minutes_before for each in agents)
