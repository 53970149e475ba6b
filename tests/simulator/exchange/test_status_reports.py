"""What reports and Call Details say of legs and machines, and where they are silent."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.model.people import Person, RingResponse

AGENT, CUSTOMER = "+919811111111", "+919876543210"
TERMINAL = {"StatusCallback": "http://daemon.test/status", "StatusCallbackEvents[0]": "terminal"}


async def _details(bench: Any) -> dict[str, Any]:
    (call,) = bench.exchange.ground_truth.connects
    await trio.sleep(400)
    shown: dict[str, Any] = (await bench.client.get(f"Calls/{call.sid}.json?details=true")).json()["Call"]
    return shown


@pytest.mark.parametrize(
    ("does", "status"),
    [("busy", "busy"), ("no-answer", "no-answer"), ("unreachable", "failed"), ("canceled", "failed")],
)
async def test_an_agent_who_does_not_come(
    bench: Any, autojump_clock: MockClock, does: str, status: str
) -> None:
    bench.exchange.people.add(Person(AGENT, answers=RingResponse(does)))
    await bench.connect_two(MaxRetries="0", **TERMINAL)
    await trio.sleep(60)
    leg = "canceled" if does == "canceled" else status
    form = bench.posted_form()
    assert (form["Status"], form["Legs[0][Status]"], form["Legs[1][Status]"]) == (status, leg, "null")
    assert (form["Legs[1][OnCallDuration]"], form["Legs[0][AnsweredBy]"]) == ("0", "NA")
    details = (await _details(bench))["Details"]
    assert (details["Leg1Status"], details["Leg2Status"]) == (leg, None)
    assert bench.exchange.ground_truth.rings_to(CUSTOMER) == []


async def test_silent_legs(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.report_legs = bench.settings.details_legs = False
    bench.exchange.people.add(Person(AGENT, answers=RingResponse.BUSY))
    await bench.connect_two(**TERMINAL)
    await trio.sleep(60)
    assert [name for name in bench.posted_form() if name.startswith("Legs")] == []
    assert (bench.posted_form()["Status"], bench.posted_form()["EventType"]) == ("busy", "terminal")
    assert (await _details(bench))["Details"] == {"ConversationDuration": 0}


@pytest.mark.parametrize("word", ["Machine", "machine", "MACHINE"])
async def test_a_machine_takes_the_call(bench: Any, autojump_clock: MockClock, word: str) -> None:
    bench.settings.machine_word, bench.settings.human_word = word, "HUMAN"
    bench.exchange.people.add(Person(CUSTOMER, answers=RingResponse.MACHINE))
    await bench.connect_two(**TERMINAL)
    await trio.sleep(60)
    form = bench.posted_form()
    assert (form["Status"], form["Legs[0][AnsweredBy]"], form["Legs[1][AnsweredBy]"]) == (
        *("completed", "HUMAN"),
        word,
    )
    assert (await _details(bench))["AnsweredBy"] == word
    (ring,) = bench.exchange.ground_truth.rings_to(CUSTOMER)
    assert (ring.answered, ring.by_machine) == (True, True)


async def test_a_machine_in_a_flow(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.flow_passthru_url = "http://daemon.test/missed-call"
    bench.exchange.people.add(Person(CUSTOMER, answers=RingResponse.MACHINE))
    await bench.connect(StatusCallback="http://daemon.test/status")
    await trio.sleep(60)
    report, passthru = sorted(bench.posted, key=lambda posted: posted.method, reverse=True)
    assert b"AnsweredBy" not in report.body, "four fields are all that a flow's report has"
    assert "AnsweredBy=Machine" in passthru.url
    assert (await _details(bench))["AnsweredBy"] == "Machine"


async def test_a_flow_whose_report_has_a_leg(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.flow_legs = bench.settings.flow_always_completed = True
    bench.exchange.people.add(Person(CUSTOMER, answers=RingResponse.NO_ANSWER))
    await bench.connect(MaxRetries="0", StatusCallback="http://daemon.test/status")
    await trio.sleep(60)
    form = bench.posted_form()
    assert (form["Status"], form["Legs[0][Status]"]) == ("completed", "no-answer")
    assert (form["ConversationDuration"], form["Legs[0][OnCallDuration]"]) == ("0", "0")
    assert [name for name in form if name.startswith("Legs[1]")] == []
    assert bench.exchange.ground_truth.connects[0].status == "no-answer", "the truth stays the truth"
    shown = await _details(bench)
    assert (shown["Status"], shown["Details"]["Leg1Status"]) == ("completed", "no-answer")
    assert len((await bench.client.get("Calls.json?Status=completed")).json()["Calls"]) == 1
