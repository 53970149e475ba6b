"""What each step of taking a call in costs by itself: one thread, no sockets, no waiting."""

from __future__ import annotations

import io
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final

import trio

from bench.ingest import CAMPAIGN
from bench.rig import PATH
from missedd.config.loader import load_settings_table
from missedd.core.admission.caller_history import CallerHistory
from missedd.core.admission.decide import decide
from missedd.core.model import InboundCall
from missedd.core.policy import Policy
from missedd.exotel.missed_call_webhook import parse_missed_call
from missedd.log.logger import Event, create_logger
from missedd.store.admission.admit import admit
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.store.sqlite.migrate import migrate
from missedd.store.store import Driver
from missedd.web.public.http_parser import RequestParser
from missedd.web.public.limits import ListenerLimits

CALLS: Final = 20_000
BATCHES: Final = (1, 64)
ROUNDS: Final = 3
NOW: Final = datetime(2026, 11, 26, 4, 30, tzinfo=UTC)

type Costs = dict[str, float]


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    rounds: list[Costs] = []
    for n in range(ROUNDS):
        say(f"steps: round {n + 1} of {ROUNDS}")
        rounds.append(trio.run(_with_a_driver))
    return {
        "calls": CALLS,
        "cost_us": {name: round(median(each[name] for each in rounds), 1) for name in rounds[0]},
    }


async def _with_a_driver() -> Costs:
    async with aio_driver() as driver:
        return await _round(driver)


async def _round(driver: Driver) -> Costs:
    costs: Costs = {}
    policy = _policy()
    parser = RequestParser(ListenerLimits())
    requests = []
    with _timed(costs, "the HTTP request is read"):
        for raw in map(_request, range(CALLS)):
            parser.feed(raw)
            requests.append(parser.requests.popleft().request)
    with _timed(costs, "its body becomes a missed call"):
        understood = [parse_missed_call(each) for each in requests]
    calls = [each for each in understood if isinstance(each, InboundCall)]
    if len(calls) < CALLS:
        raise RuntimeError("some of the calls were not understood")
    with _timed(costs, "what to do is decided"):
        for call in calls:
            decide(call, policy, None, CallerHistory(), NOW)
    for size in BATCHES:
        with tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder:
            connection = await driver.open(Path(folder) / "missedd.db", read_only=False)
            await connection.write([migrate])
            batches = CALLS if size > 1 else CALLS // 20
            with _timed(costs, f"decided, written and fsynced, {size} at once", calls=batches):
                for first in range(0, batches, size):
                    batch = calls[first : first + size]
                    await connection.write([partial(admit, calls=batch, policy=policy, received_at=NOW)])
            await connection.close()
    # Slowly enough that every line is written.
    instants = (NOW + n * timedelta(milliseconds=10) for n in count())
    log = create_logger(io.StringIO(), now=lambda: next(instants))
    with _timed(costs, "a line in the log (200 a second at most)"):
        for call in calls:
            log.info(Event.WEBHOOK_ADMITTED, call_sid=call.call_sid, caller=call.caller, verdict="accepted")
    return costs


def _policy() -> Policy:
    head = '[listen]\npublic_url = "http://127.0.0.1"\n[exotel]\naccount_sid = "example1"\n'
    return load_settings_table(tomllib.loads(head + CAMPAIGN), "", Path("a bench")).policy


def _request(n: int) -> bytes:
    body = f"CallSid={n:032d}&From=%2B9198{n:08d}&To=08047120001&Status=missed-call".encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def _timed(costs: Costs, step: str, calls: int = CALLS) -> Iterator[None]:
    began_s = time.perf_counter()
    yield
    costs[step] = (time.perf_counter() - began_s) / calls * 1e6
