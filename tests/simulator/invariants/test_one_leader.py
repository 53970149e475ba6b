"""The rules about leaders, on a few terms and requests: what breaks them, and what only looks so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simulator.exchange.model.records import RequestSender
from simulator.invariants.one_leader import SentRequest, TermStart, VacancyWatch, judge_one_sender
from simulator.invariants.promise_results import PromiseResults

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
FIRST, SECOND = TermStart(1, 1, TEN), TermStart(2, 2, TEN + timedelta(seconds=60))


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("after_s", "node", "epoch", "is_right"),
    [
        (1, 1, 1, True),
        (60.4, 1, 1, True),
        (60.6, 1, 1, False),
        (60.6, 2, 2, True),
        (90, 1, 1, False),
        (1, 1, None, False),
        (90, 1, 2, False),
        (1, 1, 3, False),
    ],
    ids=[
        "in its term",
        "claimed just before the next term",
        "too long after the next term began",
        "in the next term",
        "long after",
        "in no term",
        "in the term of another node",
        "in a term that nobody began",
    ],
)
def test_a_request_belongs_to_the_newest_term(
    after_s: float, node: int, epoch: int | None, is_right: bool
) -> None:
    results = PromiseResults()
    request = SentRequest(at(after_s), "connect", RequestSender(node, epoch))
    judge_one_sender([SECOND, FIRST], [request], results)
    assert results.occasions["P12 one sender"] == 1
    assert (results.violations == []) is is_right


def vacancies(*looks: tuple[float, list[int], list[int]]) -> PromiseResults:
    """What is found if at each instant some nodes lead and some may lead."""
    results = PromiseResults()
    watch = VacancyWatch(results)
    for seconds, leaders, able in looks:
        watch.note(at(seconds), leaders, able)
    return results


def test_a_vacancy_of_fifteen_seconds_is_long_enough() -> None:
    found = vacancies((0, [1], [1, 2]), (1, [], [2]), (16, [], [2]), (16.5, [2], [2]))
    assert found.violations == []
    assert found.occasions["P12 vacancy"] == 1


def test_a_longer_vacancy_is_told_once() -> None:
    found = vacancies((1, [], [2]), (17, [], [2]), (18, [], [2]), (30, [], [2]))
    assert [violation.promise for violation in found.violations] == ["P12 vacancy"]


def test_who_may_lead_has_fifteen_seconds_from_then_on() -> None:
    looks: list[tuple[float, list[int], list[int]]] = [(0.0, [], []), (60.0, [], [1]), (74.0, [], [1])]
    assert vacancies(*looks).violations == []
    assert len(vacancies(*looks, (76.0, [], [1])).violations) == 1


def test_who_could_not_lead_for_a_moment_begins_anew() -> None:
    assert vacancies((0, [], [1]), (10, [], []), (11, [], [1]), (20, [], [1])).violations == []
