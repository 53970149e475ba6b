"""`missedd-sim load`: callers by the thousand, at a rate that does not care how the daemon fares."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio
from rich.console import Console

from simulator.base.os_errors import describe_error
from simulator.load.connections import TargetAddress
from simulator.load.durability_check import DurabilityCheckFailed, find_missing_calls
from simulator.load.generator import LoadGenerator
from simulator.load.options import LoadPlan, add_options, read_plan
from simulator.load.progress import report_progress
from simulator.load.requests import LATE_DELIVERY, RequestStream
from simulator.load.results import load_results, print_results, write_hdr
from simulator.load.schedule import arrival_times, rate_segments
from simulator.load.tally import LoadTally

if TYPE_CHECKING:
    from argparse import _SubParsersAction

MAX_SIDS_SHOWN = 20
"""Missing CallSids named at most."""

EPILOG = """\
examples:
  missedd-sim load --url http://127.0.0.1:8080/exotel/TOKEN/missed-call --rate 1000 --for 30s
  missedd-sim load --url … --profile L3 --for 2m --p99 250ms --errors 0 --check-api http://127.0.0.1:8081
  missedd-sim load --url … --rate 200 --for 1m --burst 2500x10s@20s --hdr out.hdr --json out.json
  missedd-sim load --url … --rate max --for 10s --connections 64      (finds the highest rate)

Calls are sent at their planned times, whether or not earlier calls have been answered. A latency counts
from the planned time, so the results include the time in which a server stalls. A call without a free
connection waits for one; after --start-within it is dropped and counted as dropped.

profiles: L1 is the busiest hour of a shop. L2 is the busiest hour of a regional campaign: 7/s, with one
minute at 50/s. L3 is a national TV vote on ten ExoPhones: ten seconds at 2,500/s, then 15 minutes at
1,250/s. --for shortens a profile. The daemon needs campaigns for the ExoPhones of the profile, otherwise
it answers unknown-exophone: +918047120001, for L3 up to +918047120010. If the API needs a token,
--check-api takes the token from MISSEDD_API_TOKEN.
"""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "load",
        help="send missed calls at a given rate and measure the replies",
        description="Sends missed calls at a rate that slow replies do not change, and measures the replies.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.set_defaults(run=lambda arguments: run(read_plan(arguments, parser)))


def run(plan: LoadPlan) -> int:
    tally = LoadTally()
    unreachable = ""
    calls = RequestStream(plan.url, plan.profile, plan.seed, lambda: datetime.now(UTC))
    try:
        trio.run(_load, plan, calls, tally)
    except* OSError as errors:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        unreachable = describe_error(error)
    if unreachable:
        print(f"missedd-sim: cannot reach {urlsplit(plan.url).netloc}: {unreachable}", file=sys.stderr)
        return 1
    found = load_results(tally)
    print_results(Console(highlight=False), found)
    if plan.hdr:
        write_hdr(plan.hdr, tally.latencies_us)
    if plan.json:
        plan.json.write_text(json.dumps(found.as_json(), indent=2) + "\n", "utf-8")
    failed = plan.goals.missed_goals(found)
    for each in failed:
        print(f"missed: {each}")
    is_kept = plan.check_api is None or _check_durability(plan.check_api, calls, tally)
    return 1 if failed or not is_kept else 0


async def _load(plan: LoadPlan, calls: RequestStream, tally: LoadTally) -> None:
    generator = LoadGenerator(await _resolve(plan.url), calls, plan.limits, tally)
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, signals, generator, nursery.cancel_scope)
            nursery.start_soon(partial(report_progress, tally, plan.profile.for_s, progress=plan.progress))
            # What is there already is not looked through again and again meanwhile.
            gc.collect()
            gc.freeze()
            try:
                await _generate(generator, plan)
            finally:
                gc.unfreeze()
            nursery.cancel_scope.cancel()


async def _generate(generator: LoadGenerator, plan: LoadPlan) -> None:
    profile = plan.profile
    if plan.is_closed_loop:
        await generator.run_closed(profile.for_s)
        return
    stretches = rate_segments(profile.rate, profile.for_s, plan.ramp_s, profile.bursts)
    await generator.run(arrival_times(stretches, plan.arrivals, Random(plan.seed)))  # noqa: S311 (repeatable)


async def _resolve(url: str) -> TargetAddress:
    parts = urlsplit(url)
    found = await trio.socket.getaddrinfo(parts.hostname, parts.port or 80, type=trio.socket.SOCK_STREAM)
    family, _, _, _, where = found[0]
    return TargetAddress(family, (str(where[0]), int(where[1])))


async def _stop_on_signal(
    signals: AsyncIterator[int], generator: LoadGenerator, everything: trio.CancelScope
) -> None:
    """The first ends the sending, the second the waiting too; either way follows the summary."""
    await anext(signals)
    generator.stop()
    await anext(signals)
    everything.cancel()


def _check_durability(api: str, calls: RequestStream, tally: LoadTally) -> bool:
    """Whether every acknowledged call is in the store; says which are not."""
    acknowledged = {calls.sid_of(index) for index, was in enumerate(tally.acknowledged) if was}
    is_terminal = sys.stderr.isatty()

    def say(words: str) -> None:
        if is_terminal:
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)

    try:
        token = os.environ.get("MISSEDD_API_TOKEN")
        lost = trio.run(find_missing_calls, api, token, acknowledged, calls.began_at - 2 * LATE_DELIVERY, say)
    except DurabilityCheckFailed as error:
        print(f"missedd-sim: the durability check could not be made: {error}", file=sys.stderr)
        return False
    finally:
        if is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if lost:
        shown = " ".join(lost[:MAX_SIDS_SHOWN]) + (" …" if len(lost) > MAX_SIDS_SHOWN else "")
        print(f"MISSING: {len(lost):,} of {len(acknowledged):,} acknowledged calls are not stored: {shown}")
        return False
    print(f"every one of {len(acknowledged):,} acknowledged calls is in the store")
    return True
