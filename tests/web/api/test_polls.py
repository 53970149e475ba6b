"""The polls as the API shows them, and as streams, without a socket and in virtual time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from missedd.core.policy import Policy, VotePolicy
from missedd.web.shared import sse
from tests.core.campaigns import campaign, policy
from tests.store.database import NOON
from tests.web.api.documented import conforms, schemas
from tests.web.conftest import Private

POLICY = policy(
    campaign(name="vote-ravi", exophones=("+918047120011",), vote=VotePolicy("singer", "Ravi")),
    campaign(name="vote-asha", exophones=("+918047120010",), vote=VotePolicy("singer", "Asha")),
)
EVENTS = "/api/v1/polls/singer/events"


@pytest.fixture
def site_policy() -> Policy:
    return POLICY


async def test_a_poll_is_told_with_its_options_in_the_order_of_the_configuration(private: Private) -> None:
    private.db.poll(closes_at=NOON + timedelta(hours=1))
    private.db.votes("Asha", 3, late=2)
    private.db.votes("Zia", 1)
    told = await private.json("/api/v1/polls/singer")
    assert conforms(told, schemas()["Poll"])
    assert (told["poll"], told["state"], told["total"]) == ("singer", "open", 4)
    assert told["options"] == [
        {"option": "Ravi", "votes": 0},
        {"option": "Asha", "votes": 3},
        {"option": "Zia", "votes": 1},
    ]
    assert told["refused"] == {"surplus": 0, "replaced": 0, "early": 0, "late": 2}


async def test_every_poll_is_listed_those_of_the_past_last(private: Private) -> None:
    private.db.poll("dancer", closes_at=NOON)
    private.db.poll("singer", opens_at=NOON + timedelta(seconds=1))
    private.db.votes("Mira", 2, "dancer")
    page = await private.json("/api/v1/polls")
    assert [(each["poll"], each["state"], each["total"]) for each in page["items"]] == [
        ("singer", "upcoming", 0),
        ("dancer", "closed", 2),
    ]
    assert all(conforms(each, schemas()["Poll"]) for each in page["items"])


@pytest.mark.parametrize("path", ["/api/v1/polls/painter", "/api/v1/polls/painter/events"])
async def test_a_poll_that_never_was_is_a_problem(private: Private, path: str) -> None:
    response = await private.get(path)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


@dataclass
class Watcher:
    """Somebody who watches a poll: what is heard, and after how many seconds."""

    connection: Any
    began_s: float = field(default_factory=trio.current_time)

    async def hear(self) -> tuple[float, str]:
        text = (await self.connection.receive()).decode()
        return round(trio.current_time() - self.began_s, 3), text

    async def event(self) -> tuple[float, int, dict[str, Any]]:
        """The next event, whatever comments there are before it."""
        while True:
            at, text = await self.hear()
            if text.startswith("id: "):
                first, data = text.removesuffix("\n\n").split("\n")
                return at, int(first.removeprefix("id: ")), json.loads(data.removeprefix("data: "))


@asynccontextmanager
async def watching(private: Private, path: str = EVENTS) -> AsyncIterator[Watcher]:
    async with private.app.test_client().request(path) as connection:
        await connection.send_complete()
        yield Watcher(connection)
        await connection.disconnect()


async def test_a_stream_shows_a_poll_at_once_and_whenever_it_has_changed(
    private: Private, autojump_clock: MockClock
) -> None:
    private.db.poll()
    private.db.votes("Asha", 1)
    async with watching(private) as watcher:
        assert await watcher.hear() == (0, "retry: 2000\n\n")
        at, number, data = await watcher.event()
        assert (at, number, data["total"]) == (0, 1, 1)
        assert data == await private.json("/api/v1/polls/singer")
        await trio.sleep(10)
        private.news.publish("dancer")
        private.news.publish("singer")  # and nothing has changed
        await trio.sleep(1)
        private.db.votes("Asha", 2, surplus=1)
        private.news.publish("singer")
        assert (await watcher.event())[:2] == (11, 3)


async def test_what_another_node_has_counted_is_shown_within_two_seconds_without_news(
    private: Private, autojump_clock: MockClock
) -> None:
    private.news.reread_s = 1.5
    private.db.poll()
    async with watching(private) as watcher:
        await watcher.event()
        await trio.sleep(7.1)
        private.db.votes("Asha", 2)
        at, number, _ = await watcher.event()
        assert (number, at < 9.1) == (2, True)
        assert await watcher.hear() == (at + 15, ": still here\n\n")  # and not with each look


async def test_a_stream_sends_at_most_two_events_a_second(
    private: Private, autojump_clock: MockClock
) -> None:
    private.db.poll()
    async with watching(private) as watcher:
        heard = [await watcher.event()]
        with trio.move_on_after(5):
            async with trio.open_nursery() as nursery:

                async def rush() -> None:
                    for votes in range(1, 100_000):
                        await trio.sleep(0.01)
                        private.db.votes("Asha", votes)
                        private.news.publish("singer")

                nursery.start_soon(rush)
                while True:
                    heard.append(await watcher.event())
    times = [at for at, _, _ in heard]
    assert 9 <= len(times) <= 11
    assert all(second - first >= 0.5 for first, second in pairwise(times))
    # Each shows the newest, not one of those that were passed over.
    assert heard[-1][1] >= 440


async def test_in_silence_there_are_heartbeats(private: Private, autojump_clock: MockClock) -> None:
    private.db.poll()
    async with watching(private) as watcher:
        await watcher.event()
        assert [await watcher.hear() for _ in range(3)] == [
            (each, ": still here\n\n") for each in (15, 30, 45)
        ]


async def test_a_poll_that_opens_or_closes_is_news(
    private: Private, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    began_s = trio.current_time()
    monkeypatch.setattr(
        type(private.clock), "now", lambda _self: NOON + timedelta(seconds=trio.current_time() - began_s)
    )
    private.db.poll(opens_at=NOON + timedelta(seconds=3), closes_at=NOON + timedelta(seconds=100))
    async with watching(private) as watcher:
        told = [await watcher.event() for _ in range(3)]
    assert [(at, data["state"]) for at, _, data in told] == [(0, "upcoming"), (3, "open"), (100, "closed")]


async def test_the_daemons_stop_ends_a_stream_at_once(private: Private, autojump_clock: MockClock) -> None:
    private.db.poll()
    async with watching(private) as watcher:
        await watcher.event()
        await trio.sleep(1)
        private.news.close()
        assert await watcher.hear() == (1, "")
    response = await private.get(EVENTS)
    assert await response.get_data(as_text=True) == "retry: 2000\n\n"


async def test_streams_over_the_limit_are_refused(private: Private, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_STREAMS", 2)
    private.db.poll()
    async with watching(private) as one:
        await one.event()
        async with watching(private) as two:
            await two.event()
            response = await private.get(EVENTS)
            assert (response.status_code, response.content_type) == (503, "application/problem+json")
        async with watching(private) as three:
            await three.event()


async def test_who_only_asks_for_the_head_gets_it(private: Private) -> None:
    private.db.poll()
    response = await private.app.test_client().head(EVENTS)
    assert (response.status_code, response.content_type) == (200, "text/event-stream; charset=utf-8")
