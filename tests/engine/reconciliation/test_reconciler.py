"""A lost answer: the call is looked up in the provider's list, and never dialled again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import StatusReport
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.exotel.dates import format_ist
from missedd.exotel.request_result import Accepted
from tests.core.campaigns import (
    AGENTS,
    CALLER,
    EXOPHONE,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    callback,
    campaign,
    minutes,
    policy,
    seconds,
)
from tests.engine.reconciliation.scene import FLOW, TEXTS, Exotel, attempted, lost, missed, reconciling
from tests.engine.scene import scene

TWO_NUMBERS = policy(campaign(callback=callback(flow=None, agents=AGENTS[:1])))
SHORT = callback(ring_timeout=seconds(5), time_limit=seconds(10))
"""The call cannot last longer than 75 s. After that the same person may be called again."""
AFTER_SHORT_S = 76


@pytest.mark.parametrize(
    ("status", "outcome"), [("completed", "answered"), ("no-answer", "no-answer"), ("failed", "failed")]
)
async def test_a_lost_answer_is_found_and_its_end_is_learnt(
    autojump_clock: MockClock, tmp_path: Path, status: str, outcome: str
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", NOON + seconds(1))
        await trio.sleep(20)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]
        assert await stage.attempts("result, provider_sid") == [("unknown", "out-1")]
        exotel.end("out-1", status)
        await trio.sleep(400)
        assert (await stage.actions())[0][:2] == ("done", outcome)
        assert await stage.rows("SELECT source, effect FROM reports") == [("look-up", "applied")]


@pytest.mark.parametrize(("shown", "found"), [("+918047120099", "out-1"), (EXOPHONE, None)])
async def test_a_call_from_another_number_is_looked_for_by_that_number(
    autojump_clock: MockClock, tmp_path: Path, shown: str, found: str | None
) -> None:
    exotel = Exotel()
    of = policy(campaign(callback=callback(caller_id="+918047120099")))
    async with scene(tmp_path, of) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", NOON + seconds(1), To=shown, PhoneNumberSid=shown)
        await trio.sleep(20)
        assert await stage.actions("provider_sid") == [(found,)]


async def test_a_lost_answer_that_ended_meanwhile_is_settled_at_once(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1")
        exotel.end("out-1")
        await trio.sleep(20)
        assert await stage.actions() == [("done", "answered", "customer-answered")]


async def test_what_is_not_in_the_list_is_unknown_in_the_end_and_never_dialled_again(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(3600)
        assert await stage.actions() == [("done", "unknown", "not-found")]
        assert exotel.asked == ["Calls.json"] * 4
        assert len(await stage.attempts()) == 1
        assert [line["level"] for line in stage.events("action.closed")] == ["error"]


async def test_a_provider_that_cannot_be_asked_says_nothing_about_the_action(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.is_down = True
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(3 * 3600)
        assert await stage.actions("state, looks") == [("attempting", 0)]
        assert stage.timers.pending_ids() == await stage.due_on_disk() == {1}
        exotel.is_down = False
        exotel.call("out-1")
        await trio.sleep(60)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]


# Calls in the list that are not this attempt's.
STRANGERS: list[dict[str, Any]] = [
    {"PhoneNumberSid": None, "To": SECOND_EXOPHONE},
    {"DateCreated": format_ist(NOON - minutes(3))},
    {"DateCreated": format_ist(NOON + minutes(3))},
    {"Direction": "inbound"},
    {"From": OTHER},
    {"PhoneNumberSid": SECOND_EXOPHONE, "To": SECOND_EXOPHONE},
    {"Sid": ""},
]


@pytest.mark.parametrize("changes", STRANGERS)
async def test_only_a_call_that_can_be_ours_is_adopted(
    autojump_clock: MockClock, tmp_path: Path, changes: dict[str, Any]
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", **changes)
        await trio.sleep(30)
        assert await stage.actions("state, provider_sid") == [("attempting", None)]


async def test_with_agents_both_numbers_have_to_fit(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    async with scene(tmp_path, TWO_NUMBERS) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("stranger", To=OTHER)
        exotel.call("ours", From=AGENTS[0], To=CALLER)
        await trio.sleep(30)
        assert await stage.actions("provider_sid") == [("ours",)]


async def test_a_call_that_belongs_to_another_action_is_not_adopted(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """The caller was called half a minute before without an answer, and that call is in the list too."""
    exotel = Exotel()
    async with (
        scene(tmp_path, policy(campaign(callback=callback(), dedup_window=seconds(1)))) as stage,
        reconciling(stage, exotel) as reports,
    ):
        (first,) = await stage.calls(missed("c1"))
        await attempted(stage, first.timers[0].action_id, Accepted("out-1"))
        exotel.call("out-1", NOON + seconds(1))
        await trio.sleep(30)
        fields = {"Status": "no-answer", "CallSid": "out-1"}
        await reports.apply_call_report(1, StatusReport("out-1", "no-answer", fields=fields))
        await lost(stage, "c2", at=NOON - seconds(50))
        await trio.sleep(30)
        assert exotel.asked == ["Calls.json"]
        assert await stage.actions("state, provider_sid") == [("done", "out-1"), ("attempting", None)]


async def test_of_two_lost_answers_each_adopts_the_call_that_is_nearest_to_it(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    of = policy(campaign(callback=SHORT, dedup_window=seconds(1)))
    async with scene(tmp_path, of) as stage, reconciling(stage, exotel):
        await lost(stage, "c1")
        await trio.sleep(AFTER_SHORT_S)
        await lost(stage, "c2", at=NOON - seconds(50))
        # The second one's lookup comes first. By then the list shows both calls.
        exotel.call("out-1", NOON)
        exotel.call("out-2", NOON + seconds(AFTER_SHORT_S))
        await trio.sleep(10)
        assert await stage.actions("provider_sid") == [(None,), ("out-2",)]
        await trio.sleep(120)
        assert await stage.actions("provider_sid") == [("out-1",), ("out-2",)]


@pytest.mark.parametrize("of", [FLOW, TWO_NUMBERS, TEXTS])
async def test_every_lost_answer_comes_to_an_end(
    autojump_clock: MockClock, tmp_path: Path, of: Policy
) -> None:
    async with scene(tmp_path, of) as stage, reconciling(stage, Exotel()):
        await lost(stage)
        await trio.sleep(timedelta(hours=4).total_seconds())
        ((state, outcome, reason),) = await stage.actions()
        assert (state, outcome, Reason(reason)) == ("done", "unknown", Reason.NOT_FOUND)


@pytest.mark.parametrize("skew_s", [-110, -60, 60, 110])
async def test_a_provider_whose_clock_is_not_ours_is_understood(
    autojump_clock: MockClock, tmp_path: Path, skew_s: float
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", NOON + seconds(skew_s))
        await trio.sleep(20)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("unreadable", [False, True])
async def test_two_campaigns_that_ring_one_caller_soon_after_each_other_adopt_their_own(
    autojump_clock: MockClock, tmp_path: Path, flips: bool, unreadable: bool
) -> None:
    exotel = Exotel()
    both = policy(
        campaign(callback=SHORT),
        campaign(name="shop", exophones=(SECOND_EXOPHONE,), callback=SHORT),
    )
    async with scene(tmp_path, both) as stage, reconciling(stage, exotel):
        await lost(stage, "c1")
        await trio.sleep(AFTER_SHORT_S)
        await lost(stage, "c2", dialled=(SECOND_EXOPHONE,))
        began = [NOON, NOON + seconds(AFTER_SHORT_S)]
        named = [("out-1", EXOPHONE), ("out-2", SECOND_EXOPHONE)]
        # The call further away in time is the right one if its ExoPhone is the right one.
        for (sid, exophone), at in zip(named, reversed(began) if flips else began, strict=True):
            exotel.call(sid, at, To=exophone, PhoneNumberSid=None if unreadable else exophone)
        await trio.sleep(130)
        assert await stage.actions("provider_sid") == [("out-1",), ("out-2",)]


@pytest.mark.parametrize("first", ["agent", "customer"])
async def test_whoever_is_rung_first_the_call_is_found(
    autojump_clock: MockClock, tmp_path: Path, first: str
) -> None:
    exotel = Exotel()
    of = policy(campaign(callback=callback(flow=None, agents=AGENTS[:1], first=first)))
    async with scene(tmp_path, of) as stage, reconciling(stage, exotel):
        await lost(stage)
        pair = (AGENTS[0], CALLER) if first == "agent" else (CALLER, AGENTS[0])
        exotel.call("ours", From=pair[0], To=pair[1])
        await trio.sleep(20)
        assert await stage.actions("state, provider_sid") == [("placed", "ours")]
