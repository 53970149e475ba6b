"""Catch-up: when the provider's list is read, and which of its calls are admitted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from missedd.base.clock import to_us
from missedd.core.model import InboundCall
from missedd.core.reasons import Reason
from missedd.engine.intake.catch_up import FIRST_ROUND_AFTER_S, ROUND_EVERY_S, SECOND_ROUND_AFTER_S
from missedd.engine.intake.catch_up_trigger import TRIGGER_DELAY_S, CatchUpTrigger
from missedd.exotel.dates import format_ist
from tests.core.campaigns import (
    CALLER,
    NOON,
    OTHER,
    STRANGE,
    call,
    callback,
    campaign,
    everything,
    minutes,
    policy,
    seconds,
)
from tests.engine.intake.catch_up_scene import OF, TALKED, Exotel, after_an_hour_down, catching_up, verdicts
from tests.engine.scene import scene


async def test_a_new_database_asks_for_nothing_before_its_time(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("old", NOON - minutes(30))
    exotel.rang("new", NOON + minutes(3))
    async with scene(tmp_path, OF) as stage, catching_up(stage, exotel):
        await trio.sleep(500)
        assert exotel.asked == []
        await trio.sleep(200)
        assert len(exotel.asked) == 1
        assert await verdicts(stage) == [("new", "accepted", "recovered")]


async def test_who_rang_just_before_a_stop_is_found_two_minutes_after_the_start(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("last", NOON - seconds(5))
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        assert await verdicts(stage) == []
        await trio.sleep(SECOND_ROUND_AFTER_S)
        assert await verdicts(stage) == [("last", "accepted", "recovered")]


async def test_who_rang_meanwhile_is_served_by_the_calls_own_time(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("old", NOON - minutes(50))
    exotel.rang("young", NOON - minutes(5), From=OTHER)
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        assert await verdicts(stage) == [("old", "accepted", "recovered"), ("young", "accepted", "recovered")]
        assert await stage.actions("kind, outcome, reason") == [
            ("lead", "recorded", "recorded-at-once"),
            ("sms", None, "owed"),
            ("callback", "expired", "too-old"),
            ("lead", "recorded", "recorded-at-once"),
            ("sms", None, "owed"),
            ("callback", None, "owed"),
        ]
        assert stage.timers.pending_ids() == await stage.due_on_disk()
        (line,) = stage.events("webhooks.missing")
        assert (line["level"], line["recovered"]) == ("warning", 2)
        assert line["first_called_at"] == "2026-11-23T05:40:00.000Z"
        assert len(stage.events("call.recovered")) == 2
        assert stage.events("webhook.admitted") == []


async def test_every_round_goes_on_where_the_last_one_ended(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(FIRST_ROUND_AFTER_S + SECOND_ROUND_AFTER_S + ROUND_EVERY_S + 1)
        assert [query["DateCreated"] for query in exotel.queries] == [
            "gte:2026-11-23 11:00:00;lte:2026-11-23 11:58:06",
            "gte:2026-11-23 11:56:05;lte:2026-11-23 12:00:06",
            "gte:2026-11-23 11:58:05;lte:2026-11-23 12:10:06",
        ]
    async with scene(tmp_path, OF, NOON + timedelta(days=90)) as stage, catching_up(stage, exotel):
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        assert exotel.queries[-1]["DateCreated"].startswith("gte:2027-01-22 "), "a month, and no more"


async def test_a_later_webhook_is_a_redelivery_and_a_known_call_is_no_news(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("late", NOON - minutes(5))
    exotel.rang("known", NOON - minutes(4), From=OTHER)
    async with after_an_hour_down(tmp_path, exotel) as (stage, intake, _):
        assert await intake.admit(call("known", NOON - minutes(4), caller=OTHER)) == "accepted"
        await trio.sleep(FIRST_ROUND_AFTER_S + ROUND_EVERY_S + 1)
        assert await intake.admit(call("late", NOON - minutes(5))) == "redelivered"
        assert await stage.rows("SELECT call_sid, redeliveries, shape FROM calls ORDER BY id") == [
            ("known", 0, "native"),
            ("late", 1, "recovered"),
        ]
        assert [line["recovered"] for line in stage.events("webhooks.missing")] == [1]


async def test_a_conversation_in_the_list_ends_what_its_call_is_still_owed(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    late = callback(delay=minutes(30), give_up_after=minutes(60))
    of = policy(campaign(callback=late, lead_source="missed_call"))
    exotel = Exotel()
    exotel.rang("talked", NOON - minutes(4), Details=TALKED)
    exotel.rang("missed", NOON - minutes(4), From=OTHER)
    async with after_an_hour_down(tmp_path, exotel, of) as (stage, intake, _):
        for sid, caller in (("talked", CALLER), ("missed", OTHER)):
            assert await intake.admit(call(sid, NOON - minutes(4), caller=caller)) == "accepted"
        await trio.sleep(FIRST_ROUND_AFTER_S + ROUND_EVERY_S + 1)
        assert await stage.rows("SELECT call_sid, verdict, reached_by, redeliveries FROM calls") == [
            ("talked", "accepted", "conversation", 0),
            ("missed", "accepted", None, 0),
        ]
        assert await stage.rows("SELECT outcome, reason FROM actions WHERE kind = 'callback'") == [
            ("cancelled", "reached-otherwise"),
            (None, "owed"),
        ]
        assert stage.events("webhooks.missing") == []


# Entries of the list that must not be admitted.
OTHERS: list[dict[str, Any]] = [
    {"Details": TALKED},
    {"RecordingUrl": "https://recordings.example/1.mp3"},
    {"To": STRANGE, "PhoneNumberSid": STRANGE},
    {"Direction": "outbound-api"},
    {"StartTime": None, "DateCreated": None},
    {"StartTime": format_ist(NOON - timedelta(days=2))},
    {"StartTime": format_ist(NOON - seconds(30))},
    {"Sid": ""},
]


@pytest.mark.parametrize("changes", OTHERS)
async def test_only_missed_calls_to_our_exophones_are_recovered(
    autojump_clock: MockClock, tmp_path: Path, changes: dict[str, Any]
) -> None:
    exotel = Exotel()
    exotel.rang("x", NOON - minutes(5), **changes)
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        assert len(exotel.asked) == 1
        assert await verdicts(stage) == []


async def test_of_a_number_that_is_only_called_from_the_calls_of_whom_we_rang_are_recovered(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    shown = "+918047120099"
    of = policy(campaign(callback=callback(caller_id=shown)))
    exotel = Exotel()
    for sid, caller in (("rung", CALLER), ("stranger", OTHER)):
        exotel.rang(sid, NOON - minutes(5), From=caller, To=shown, PhoneNumberSid=shown)
    async with after_an_hour_down(tmp_path, exotel, of) as (stage, _, _):
        await stage.call("before", NOON - minutes(59))
        await stage.store.write(
            lambda db: db.execute(
                "UPDATE actions SET placed_at = ?, details = ?",
                (to_us(NOON - minutes(58)), f'{{"caller_id":"{shown}"}}'),
            )
        )
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        assert await stage.rows(
            "SELECT call_sid, campaign, verdict FROM calls WHERE shape = 'recovered'"
        ) == [("rung", "admissions", "accepted")]


async def test_a_call_that_goes_on_is_looked_at_again(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    exotel.rang("long", NOON - minutes(10), Status="in-progress", EndTime=None)
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        assert await verdicts(stage) == []
        exotel.calls[0] |= {"Status": "completed", "EndTime": format_ist(NOON)}
        await trio.sleep(ROUND_EVERY_S)
        assert await verdicts(stage) == [("long", "accepted", "recovered")]


async def test_a_call_that_was_known_only_in_the_middle_is_news_at_its_end(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    for sid in ("popup", "voicemail"):
        exotel.rang(sid, NOON - minutes(5))
    async with after_an_hour_down(tmp_path, exotel) as (stage, intake, _):
        await intake.admit(call("popup", NOON - minutes(5), not_missed=Reason.AGENT_EVENT))
        await intake.admit(call("voicemail", NOON - minutes(5), not_missed=Reason.VOICEMAIL))
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        assert sorted(await verdicts(stage)) == [
            ("popup", "accepted", "recovered"),
            ("voicemail", "not-missed", "native"),
        ]


async def test_after_a_refused_webhook_the_list_is_read_soon(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with after_an_hour_down(tmp_path, exotel) as (stage, intake, _):
        await trio.sleep(60)
        lost: InboundCall = call("c1", stage.clock.now())
        exotel.rang("c1", stage.clock.now())
        stage.disk.is_full = True
        with pytest.raises(Exception, match="full"):
            await intake.admit(lost)
        stage.disk.is_full = False
        await trio.sleep(TRIGGER_DELAY_S + 1)
        assert await verdicts(stage) == [("c1", "accepted", "recovered")]
        assert [round(at_s) for at_s, _ in exotel.asked] == [
            FIRST_ROUND_AFTER_S,
            FIRST_ROUND_AFTER_S + SECOND_ROUND_AFTER_S,
            60 + TRIGGER_DELAY_S,
        ]


async def test_votes_and_consents_count_whenever_they_are_found(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("c1", NOON - minutes(55))
    async with after_an_hour_down(tmp_path, exotel, policy(everything())) as (stage, _, _):
        await trio.sleep(FIRST_ROUND_AFTER_S + 1)
        found = dict(await stage.actions("kind, outcome"))
        assert {found[kind] for kind in ("lead", "vote", "subscribe", "unsubscribe", "verify")} == {
            "recorded"
        }
        assert (found["webhook"], found["sms"], found["callback"]) == (None, None, "expired")


async def test_doubt_waits_until_the_call_is_old_enough(autojump_clock: MockClock) -> None:
    doubt, began_s = CatchUpTrigger(), trio.current_time()

    async def waited(at_most_s: float) -> float:
        await doubt.wait(at_most_s)
        return trio.current_time() - began_s

    assert await waited(10) == 10
    doubt.request()
    assert await waited(600) == 10 + TRIGGER_DELAY_S
    assert await waited(600) == 610 + TRIGGER_DELAY_S, "it was settled by that"
    doubt.request()
    assert await waited(100) == 710 + TRIGGER_DELAY_S, "too young: it goes on"
    doubt.request()
    assert await waited(600) == 610 + 2 * TRIGGER_DELAY_S
