"""A store, a provider with a list of incoming calls, and the catch-up that reads the list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import trio

from missedd.core.model import StatusReport
from missedd.core.policy import Policy
from missedd.engine.intake.catch_up import CatchUp
from missedd.engine.intake.catch_up_trigger import CatchUpTrigger
from missedd.engine.intake.intake import Intake
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.client import ExotelAccount, ExotelClient, new_exotel_client
from missedd.exotel.dates import format_ist
from missedd.store.admission.catch_up import load_watermark
from tests.core.campaigns import CALLER, EXOPHONE, NOON, callback, campaign, policy, sms
from tests.engine.scene import EngineScene, scene

OF = policy(campaign(callback=callback(), sms=sms(), lead_source="missed_call"))
NOBODY = {"ConversationDuration": 0, "Leg1Status": "completed", "Leg2Status": None}
TALKED = {"ConversationDuration": 31, "Leg1Status": "completed", "Leg2Status": "completed"}


class Exotel:
    """The list of incoming calls over HTTP, `size` calls a page; answers with `status` if it is set."""

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
    intake = Intake(
        stage.store,
        stage.policy,
        stage.clock,
        stage.log,
        stage.clock_watch,
        stage.timers.add,
        report,
        doubt.request,
    )
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
