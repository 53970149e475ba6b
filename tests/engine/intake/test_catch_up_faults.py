"""Catch-up if the provider, the disk or one call fails, and its share of the rate limit."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from missedd.engine.intake.catch_up import BUDGET_SHARE, FIRST_ROUND_AFTER_S, ROUND_EVERY_S, ROUND_RETRY_S
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.store.admission.catch_up import load_watermark
from missedd.store.opened_store import MAX_WAIT_S
from tests.core.campaigns import NOON, OTHER, minutes, seconds
from tests.engine.intake.catch_up_scene import (
    NOBODY,
    OF,
    TALKED,
    Exotel,
    after_an_hour_down,
    catching_up,
    verdicts,
)
from tests.engine.scene import scene


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
