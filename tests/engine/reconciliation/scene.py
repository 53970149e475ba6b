"""A store with requests of unknown outcome, and a provider that answers lookups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import trio

from missedd.core.model import InboundCall, Lane
from missedd.engine.dispatch.attempt_result import interpret_answer
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.engine.reconciliation.reconciler import Reconciler
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.exotel.client import ExotelAccount, ExotelClient, new_exotel_client
from missedd.exotel.dates import format_ist
from missedd.exotel.request_result import Answer, Unknown
from missedd.store.actions.attempts import record_attempt_result
from missedd.store.actions.claims import claim
from tests.core.campaigns import CALLER, EXOPHONE, NOON, call, callback, campaign, minutes, policy, sms
from tests.engine.scene import EngineScene

FLOW = policy(campaign(callback=callback()))
TEXTS = policy(campaign(sms=sms()))
LOST = Unknown("read-timeout")
BEFORE_NOON = NOON - minutes(1)


class Exotel:
    """The provider's list of calls and Call Details over HTTP; `is_down`, or `status`, make it fail."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.messages: dict[str, str] = {}
        self.is_down = False
        self.status: int | None = None
        self.asked: list[str] = []

    def call(self, sid: str, at: datetime = NOON, **changes: object) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "Sid": sid,
            "DateCreated": format_ist(at),
            "Direction": "outbound-api",
            "From": CALLER,
            "To": EXOPHONE,
            "PhoneNumberSid": EXOPHONE,
            "Status": "in-progress",
            "EndTime": None,
        }
        self.calls.append(entry | changes)
        return self.calls[-1]

    def end(self, sid: str, status: str = "completed") -> None:
        for each in self.calls:
            if each["Sid"] == sid:
                each |= {"Status": status, "EndTime": format_ist(NOON + minutes(1))}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rpartition("/")[2])
        if self.is_down or self.status is not None:
            return httpx.Response(self.status or 503)
        path = request.url.path
        if path.endswith("/Calls.json"):
            return httpx.Response(200, json={"Metadata": {}, "Calls": self.calls})
        sid = path.rpartition("/")[2].removesuffix(".json")
        if "/SMS/" in path:
            if sid not in self.messages:
                return httpx.Response(200, text="No matching results")
            return httpx.Response(200, json={"SMSMessage": {"Sid": sid, "Status": self.messages[sid]}})
        found = [each for each in self.calls if each["Sid"] == sid]
        return httpx.Response(200, json={"Call": found[0]}) if found else httpx.Response(404, json={})


@asynccontextmanager
async def reconciling(
    stage: EngineScene, exotel: Exotel, per_minute: int = 200
) -> AsyncIterator[StatusReports]:
    reports = StatusReports(
        stage.store, stage.policy, stage.clock, stage.log, stage.clock_watch, stage.timers.add
    )
    async with new_exotel_client(httpx.MockTransport(exotel)) as http:
        account = ExotelAccount("example1", "https://api.in.exotel.example", "k", "t")
        reconciler = Reconciler(
            store=stage.store,
            policy=stage.policy,
            clock=stage.clock,
            log=stage.log,
            client=ExotelClient(http, account, stage.clock),
            rate_limiters={Lane.VOICE: RateLimiter(per_minute), Lane.SMS: RateLimiter(200)},
            due_queue=stage.ready[Lane.LOOKUP],
            timers=stage.timers,
            status_reports=reports,
            breakers=stage.upstream,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reconciler.run)
            yield reports
            nursery.cancel_scope.cancel()


async def attempted(stage: EngineScene, action_id: int, answer: Answer) -> None:
    """Claim an action and record `answer` to its request, as the dispatcher would."""
    now = stage.clock.now()
    unit = partial(claim, ids=[action_id], policy=stage.policy, now=now, limit=1)
    (claimed,) = (await stage.store.write(unit)).claimed
    settled = interpret_answer(answer, claimed.action.kind, claimed.attempt, now, stage.rng)
    wakes = await stage.store.write(
        partial(
            record_attempt_result,
            action_id=action_id,
            attempt=claimed.attempt,
            result=settled.result,
            policy=stage.policy,
            now=now,
        )
    )
    stage.timers.add(wakes)


def missed(sid: str, at: datetime = BEFORE_NOON, **changes: Any) -> InboundCall:
    """A missed call whose callback is due at noon."""
    return call(sid, at, **changes)


async def lost(stage: EngineScene, sid: str = "c1", **changes: Any) -> None:
    """A missed call whose callback is requested now, at noon, and whose answer never arrives."""
    (admitted,) = await stage.calls(missed(sid, **changes))
    await attempted(stage, admitted.timers[0].action_id, LOST)
