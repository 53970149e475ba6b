"""Asked again only when it is worth it."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from missedd.web.console.query_cache import MAX_ENTRIES, QueryCache


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


class Question:
    """Takes so long, and gives another answer each time."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        answer = self.asked
        await trio.sleep(self.takes_s)
        return answer


async def test_what_is_quick_is_asked_each_time(autojump_clock: MockClock) -> None:
    remembered, question = QueryCache(), Question(0)
    assert [await remembered.get("x", question) for _ in range(3)] == [1, 2, 3]


async def test_what_took_long_serves_ten_times_as_long(autojump_clock: MockClock) -> None:
    remembered, question = QueryCache(), Question(2)
    assert await remembered.get("x", question) == 1
    await trio.sleep(19.9)
    assert await remembered.get("x", question) == 1
    await trio.sleep(0.2)
    assert await remembered.get("x", question) == 2


async def test_what_changes_slowly_serves_for_a_while(autojump_clock: MockClock) -> None:
    remembered, question = QueryCache(), Question(0)
    assert await remembered.get("x", question, at_least_s=20) == 1
    await trio.sleep(19)
    assert await remembered.get("x", question, at_least_s=20) == 1
    assert await remembered.get("y", question, at_least_s=20) == 2
    await trio.sleep(2)
    assert await remembered.get("x", question, at_least_s=20) == 3


async def test_who_comes_meanwhile_shares_the_answer(autojump_clock: MockClock) -> None:
    remembered, question, answers = QueryCache(), Question(5), list[int]()

    async def ask() -> None:
        answers.append(await remembered.get("x", question))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ask)
    assert answers == [1] * 10


async def test_a_failure_is_not_remembered(autojump_clock: MockClock) -> None:
    remembered = QueryCache()

    async def fail() -> int:
        await trio.sleep(5)
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        await remembered.get("x", fail)
    assert await remembered.get("x", Question(0)) == 1


async def test_query_cache_is_bounded(autojump_clock: MockClock) -> None:
    remembered, question = QueryCache(), Question(0)
    for key in range(5 * MAX_ENTRIES):
        await remembered.get(key, question, at_least_s=99)
    assert len(remembered._results) == MAX_ENTRIES
