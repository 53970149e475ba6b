"""Who is on the telephone is not rung by another call."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.model.numbering_plan import concurrent_calls
from simulator.exchange.model.people import Person, RingResponse

AGENT, CUSTOMER, OTHER = "+919811111111", "+919876543210", "+919876543211"
SWITCHBOARD = "+911171279999"


def _ends(bench: Any) -> list[str]:
    return [call.status for call in bench.exchange.ground_truth.connects]


async def test_a_second_call_finds_her_engaged(bench: Any, autojump_clock: MockClock) -> None:
    answers = (RingResponse.ANSWER, RingResponse.NO_ANSWER)
    bench.exchange.people.add(Person(CUSTOMER, answers=answers, ring_s=5, talks_s=60))
    await bench.connect()
    await trio.sleep(1)  # it rings
    await bench.connect()
    await trio.sleep(30)  # she talks
    await bench.connect()
    await trio.sleep(60)
    truth = bench.exchange.ground_truth
    assert _ends(bench) == ["completed", "busy", "busy"]
    assert [ring.answered for ring in truth.rings_to(CUSTOMER)] == [True]
    assert [(ring.number, ring.ended) for ring in truth.engaged] == [(CUSTOMER, "busy")] * 2
    assert all((ring.ended_at - ring.started_at).total_seconds() == 2 for ring in truth.engaged)
    # The tries that rang nothing took none of the things that she does when rung.
    await bench.connect(MaxRetries="0")
    await trio.sleep(60)
    assert [ring.ended for ring in truth.rings_to(CUSTOMER)] == ["completed", "no-answer"]


async def test_an_agent_who_talks_is_engaged_for_the_next_caller(
    bench: Any, autojump_clock: MockClock
) -> None:
    await bench.connect_two()
    await trio.sleep(20)
    await bench.connect_two(To=OTHER)
    await trio.sleep(100)
    assert _ends(bench) == ["completed", "busy"]
    assert bench.exchange.ground_truth.rings_to(OTHER) == []
    # Both have hung up, and are free again.
    await bench.connect_two(To=OTHER)
    await trio.sleep(100)
    assert _ends(bench)[-1] == "completed"


async def test_nobody_is_connected_with_themselves(bench: Any, autojump_clock: MockClock) -> None:
    await bench.connect_two(To=AGENT)
    await trio.sleep(100)
    (call,) = bench.exchange.ground_truth.connects
    assert (call.status, call.leg1, call.leg2) == ("busy", "completed", "busy")
    assert len(bench.exchange.ground_truth.rings_to(AGENT)) == 1


async def test_lines_that_take_several_calls(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.people.add(Person(CUSTOMER, lines=2))
    for number, ends in ((SWITCHBOARD, ["completed"] * 3), (CUSTOMER, ["completed", "completed", "busy"])):
        bench.exchange.ground_truth.connects.clear()
        for _ in range(3):
            await bench.connect(From=number)
        await trio.sleep(100)
        assert _ends(bench) == ends


@pytest.mark.parametrize("shape", ["talked", "answered"])
async def test_a_caller_who_got_through_is_engaged(bench: Any, autojump_clock: MockClock, shape: str) -> None:
    person = Person(CUSTOMER, talks_s=100)
    bench.exchange.ring_in(person, shape=shape)
    await bench.connect()
    await trio.sleep(50)
    # On the telephone, she can ring all the same; what is posted again is no call of its own.
    ring = bench.exchange.ring_in(person)
    bench.exchange.ring_in(person, shape="talked", call_sid=ring.call_sid)
    await trio.sleep(51)
    await bench.connect()
    await trio.sleep(200)
    assert _ends(bench) == ["busy", "completed"]


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        ("+919876543210", 1),
        ("+918047120001", None),
        ("+911800123456", None),
        ("+9118604567890", None),
        ("+13125550100", 1),
        ("sip:asha@example.in", None),
        ("+91", 1),
    ],
)
def test_the_numbering_plan_says_how_many(number: str, lines: int | None) -> None:
    assert concurrent_calls(number) == lines


async def test_channels_of_the_account(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.channels = 3
    truth = bench.exchange.ground_truth
    assert (await bench.connect_two()).status_code == 200  # two channels, from now on
    assert (await bench.connect_two(From=OTHER)).status_code == 429
    bench.exchange.ring_in(Person(OTHER, talks_s=100), shape="talked")
    await trio.sleep(1)
    refused = await bench.connect(From="+919876543212")
    assert (refused.status_code, refused.json()["RestException"]["Status"]) == (429, 429)
    assert "limit of 3 concurrent calls" in refused.json()["RestException"]["Message"]
    ring = bench.exchange.ring_in("+919876543212")
    await trio.sleep(1)
    assert (len(truth.connects), truth.turned_away) == (1, [ring])
    assert truth.deliveries_of(ring.call_sid) == []
    assert len((await bench.client.get("Calls.json")).json()["Calls"]) == 1
    # The call between two numbers has ended, the caller still talks.
    await trio.sleep(80)
    assert (await bench.connect_two()).status_code == 200
    bench.settings.channels_full_status = 403
    assert (await bench.connect()).status_code == 403
    await trio.sleep(200)
    assert bench.exchange.state.channels.in_use == 0
