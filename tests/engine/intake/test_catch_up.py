"""Calls that no webhook told of: found in the provider's list, served once, at little cost to callbacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from missedd.base.clock import to_us
from missedd.core.model import InboundCall, StatusReport
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.intake.catch_up import (
    BUDGET_SHARE,
    FIRST_ROUND_AFTER_S,
    ROUND_EVERY_S,
    ROUND_RETRY_S,
    SECOND_ROUND_AFTER_S,
    CatchUp,
)
from missedd.engine.intake.catch_up_trigger import TRIGGER_DELAY_S, CatchUpTrigger
from missedd.engine.intake.intake import Intake
from missedd.engine.intake.intake_queue import MAX_WAIT_S
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.client import ExotelAccount, ExotelClient, new_exotel_client
from missedd.exotel.dates import format_ist
from missedd.store.admission.catch_up import load_watermark
from tests.core.campaigns import (
    CALLER,
    EXOPHONE,
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
    sms,
)
from tests.engine.scene import EngineScene, scene

OF = policy(campaign(callback=callback(), sms=sms(), lead_source="missed_call"))
NOBODY = {"ConversationDuration": 0, "Leg1Status": "completed", "Leg2Status": None}
TALKED = {"ConversationDuration": 31, "Leg1Status": "completed", "Leg2Status": "completed"}


class Exotel:
    """Its list of incoming calls over HTTP, `size` to a page; answers with `status` if that is set."""

    def __init__(self, size: int = 100) -> None:
        self.calls: list[dict[str, Any]] = []
        self.details: dict[str, dict[str, Any]] = {}
        self.unfinished: set[str] = set()
        self.asked: list[tuple[float, str]] = []
        self.queries: list[dict[str, str]] = []
        self.status: int | None = None
        self.retry_after: str | None = None
        self._size = size
        self._began_s = trio.current_time()

    def rang(self, sid: str, at: datetime = NOON, **changes: object) -> None:
        entry: dict[str, Any] = {
            "Sid": sid,
            "Direction": "inbound",
            "From": CALLER,
            "To": EXOPHONE,
            "PhoneNumberSid": EXOPHONE,
            "Status": "completed",
            "DateCreated": format_ist(at),
            "StartTime": format_ist(at),
            "EndTime": format_ist(at),
            "Details": NOBODY,
        }
        self.calls.append(entry | changes)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked.append((trio.current_time() - self._began_s, name))
        self.queries.append(dict(request.url.params))
        if self.status is not None:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return httpx.Response(self.status, headers=headers)
        if name != "Calls.json":
            sid = name.removesuffix(".json")
            found = [each for each in self.calls if each["Sid"] == sid]
            end = {"EndTime": None} if sid in self.unfinished else {}
            return httpx.Response(200, json={"Call": found[0] | {"Details": self.details.get(sid)} | end})
        start = int(request.url.params.get("After", 0))
        page = self.calls[start : start + self._size]
        following = f"/x?After={start + self._size}" if start + self._size < len(self.calls) else None
        return httpx.Response(200, json={"Metadata": {"NextPageUri": following}, "Calls": page})


@asynccontextmanager
async def catching_up(
    stage: EngineScene, exotel: Exotel, budget: RateLimiter | None = None
) -> AsyncIterator[tuple[Intake, CatchUpTrigger]]:
    async def report(_action_id: int, _report: StatusReport) -> None:
        raise AssertionError("an incoming call is no report")

    doubt = CatchUpTrigger()
    intake = Intake(stage.store, stage.policy, stage.clock, stage.log, stage.timers, report, doubt.request)
    async with new_exotel_client(httpx.MockTransport(exotel)) as http:
        account = ExotelAccount("example1", "https://api.in.exotel.example", "k", "t")
        catch_up = CatchUp(
            store=stage.store,
            policy=stage.policy,
            clock=stage.clock,
            log=stage.log,
            client=ExotelClient(http, account, stage.clock),
            rate_limiter=budget or RateLimiter(200),
            admit=intake.admit_all,
            trigger=doubt,
            breakers=stage.upstream,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(intake.run)
            nursery.start_soon(
                catch_up.run, await stage.store.write(partial(load_watermark, now=stage.clock.now()))
            )
            yield intake, doubt
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def after_an_hour_down(
    folder: Path, exotel: Exotel, of: Policy = OF
) -> AsyncIterator[tuple[EngineScene, Intake, CatchUpTrigger]]:
    """A daemon that last ran an hour before noon, and starts at noon."""
    async with scene(folder, of, NOON - timedelta(hours=1)) as stage:
        await stage.store.write(partial(load_watermark, now=stage.clock.now()))
    async with scene(folder, of) as stage, catching_up(stage, exotel) as (intake, doubt):
        yield stage, intake, doubt


async def verdicts(stage: EngineScene) -> list[tuple[Any, ...]]:
    return await stage.rows("SELECT call_sid, verdict, shape FROM calls ORDER BY called_at, id")


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


# Entries of the list that are nobody's to serve.
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


async def test_where_the_list_has_no_details_the_call_itself_is_asked_for(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("missed", NOON - minutes(6), Details=None)
    exotel.rang("talked", NOON - minutes(5), Details=None, From=OTHER)
    exotel.details = {"missed": NOBODY, "talked": TALKED}
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(60)
        assert [name for _, name in exotel.asked] == ["Calls.json", "missed.json", "talked.json"]
        assert await verdicts(stage) == [("missed", "accepted", "recovered")]


async def test_details_that_are_not_final_are_asked_for_again(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("c1", NOON - minutes(5), Details=None)
    exotel.details = {"c1": NOBODY}
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        exotel.unfinished.add("c1")
        await trio.sleep(60)
        assert await verdicts(stage) == []
        exotel.unfinished.clear()
        await trio.sleep(ROUND_EVERY_S)
        assert await verdicts(stage) == [("c1", "accepted", "recovered")]


@pytest.mark.parametrize(
    ("status", "wait_s", "level"),
    [
        (404, ROUND_EVERY_S, "info"),
        (401, ROUND_EVERY_S, "error"),
        (503, ROUND_RETRY_S, "info"),
        (429, ROUND_RETRY_S, "info"),
    ],
)
async def test_a_provider_that_does_not_tell_is_asked_again_later_and_noted_once(
    autojump_clock: MockClock, tmp_path: Path, status: int, wait_s: float, level: str
) -> None:
    exotel = Exotel()
    exotel.status = status
    exotel.rang("c1", NOON - minutes(20))
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(FIRST_ROUND_AFTER_S + wait_s + 1)
        assert [round(at_s) for at_s, _ in exotel.asked] == [
            FIRST_ROUND_AFTER_S,
            FIRST_ROUND_AFTER_S + wait_s,
        ]
        (line,) = stage.events("lookup.failed")
        assert (line["level"], line["code"]) == (level, str(status))
        exotel.status = None
        await trio.sleep(wait_s)
        assert await verdicts(stage) == [("c1", "accepted", "recovered")], "nothing was skipped"


async def test_a_429_pauses_the_whole_budget(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    exotel.status, exotel.retry_after = 429, "45"
    async with scene(tmp_path, OF) as stage:
        await stage.store.write(partial(load_watermark, now=NOON - minutes(60)))
        budget = RateLimiter(200)
        async with catching_up(stage, exotel, budget):
            await trio.sleep(FIRST_ROUND_AFTER_S + 1)
            assert budget.pause_left_s == pytest.approx(44, abs=0.1)


async def test_many_pages_take_a_small_share_of_the_budget(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel(size=2)
    for n in range(20):
        exotel.rang(f"c{n}", NOON - minutes(30) + seconds(n), From=f"+9198000000{n:02}")
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        await trio.sleep(120)
        assert len(await verdicts(stage)) == 20
        at_s = [each for each, _ in exotel.asked]
        assert len(at_s) == 10
        gap_s = BUDGET_SHARE * RateLimiter(200).spacing_s
        assert all(later - earlier >= gap_s - 0.01 for earlier, later in pairwise(at_s))
        assert [line["recovered"] for line in stage.events("webhooks.missing")] == [20]


async def test_a_list_without_an_end_is_left(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    exotel.rang("c1", NOON - minutes(30))

    def endless(request: httpx.Request) -> httpx.Response:
        answer = exotel(request)
        body = answer.json() | {"Metadata": {"NextPageUri": "/x?After=0"}}
        return httpx.Response(200, json=body)

    async with scene(tmp_path, OF) as stage:
        await stage.store.write(partial(load_watermark, now=NOON - minutes(60)))
        async with catching_up(stage, _Answering(endless)):
            await trio.sleep(100)
            assert len(exotel.asked) == 2
            assert await verdicts(stage) == [("c1", "accepted", "recovered")]


class _Answering(Exotel):
    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        found: httpx.Response = self._answer(request)
        return found


async def test_a_full_disk_is_waited_out_and_nothing_is_skipped(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("c1", NOON - minutes(20))
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        stage.disk.is_full = True
        await trio.sleep(FIRST_ROUND_AFTER_S + 10)
        assert await verdicts(stage) == []
        stage.disk.is_full = False
        await trio.sleep(2 * ROUND_RETRY_S)
        assert await verdicts(stage) == [("c1", "accepted", "recovered")]


async def test_a_disk_too_slow_to_be_waited_for_skips_nothing_either(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.rang("c1", NOON - minutes(20))
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        stage.disk.takes_s, stage.disk.is_full = 2 * MAX_WAIT_S, True
        await trio.sleep(FIRST_ROUND_AFTER_S + 1.5 * MAX_WAIT_S)
        assert stage.events("store.commit_failed"), "given up before the disk said no"
        await trio.sleep(MAX_WAIT_S)
        assert await verdicts(stage) == []
        stage.disk.takes_s, stage.disk.is_full = 0.0, False
        await trio.sleep(2 * ROUND_RETRY_S)
        assert await verdicts(stage) == [("c1", "accepted", "recovered")]


async def test_a_call_that_is_beyond_us_harms_only_itself(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    for n in range(3):
        exotel.rang(f"c{n}", NOON - minutes(20 - n), From=f"+9198000000{n:02}")
    async with after_an_hour_down(tmp_path, exotel) as (stage, _, _):
        poison = """CREATE TRIGGER poison BEFORE INSERT ON calls WHEN new.call_sid = 'c1'
                    BEGIN SELECT raise(ABORT, 'beyond us'); END"""
        await stage.store.write(lambda db: db.execute(poison))
        await trio.sleep(FIRST_ROUND_AFTER_S + ROUND_EVERY_S + 1)
        assert [sid for sid, *_ in await verdicts(stage)] == ["c0", "c2"]
        (line,) = stage.events("request.failed")
        assert line["call_sid"] == "c1"


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
