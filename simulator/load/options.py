"""The command line of a load as one value; wrong words end in exit code 2 and say what would be right."""

from __future__ import annotations

import argparse
import math
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from simulator.exchange.model.formats import parse_number
from simulator.load.generator import LoadLimits
from simulator.load.goals import LoadGoals
from simulator.load.profile import PROFILES, LoadProfile, LoadShape
from simulator.load.schedule import Arrivals, Burst

UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
WARM_SHARE_S: Final = 0.05
"""So many seconds' calls have a connection that is open before the start."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    url: str
    profile: LoadProfile
    is_closed_loop: bool
    """As fast as replies come back, instead of at a rate."""
    arrivals: Arrivals
    ramp_s: float
    seed: int
    limits: LoadLimits
    goals: LoadGoals
    progress: bool
    check_api: str | None
    hdr: Path | None
    json: Path | None


def add_options(parser: argparse.ArgumentParser) -> None:
    usual = LoadLimits()
    add = parser.add_argument
    add("--url", type=url, required=True, help="the missed-call webhook, with its token")
    add("--rate", type=rate, metavar="R", help="calls per second; max: as fast as replies come back")
    add("--for", type=duration, dest="for_s", metavar="S", help="the duration in seconds, or 90s, 15m, 1h")
    add(
        "--profile",
        choices=list(PROFILES),
        help="a predefined load; --rate, --for and other options change it",
    )
    add("--arrivals", choices=list(Arrivals), default=Arrivals.POISSON, help="(%(default)s)")
    add("--ramp", type=duration, default=0.0, metavar="S", help="the time in which the rate rises from 0")
    add(
        "--burst",
        type=burst,
        action="append",
        metavar="RxS[@T]",
        help="a rate R for the time S, at the start or at T",
    )
    add(
        "--shape",
        choices=list(LoadShape),
        help="the shape of the requests: POST, GET, or half of each (native)",
    )
    add("--exophone", type=number, action="append", metavar="+91…", help="an ExoPhone; may be repeated")
    add("--repeats", type=fraction, metavar="SHARE", help="share of calls by earlier callers, 0 to 1 (0)")
    add("--seed", type=int, default=0, metavar="N", help="seed of callers and arrival times (%(default)s)")
    add(
        "--connections",
        type=at_least_one,
        default=usual.connections,
        metavar="N",
        help="the most connections (%(default)s)",
    )
    add(
        "--start-within",
        type=duration,
        default=usual.start_within_s,
        metavar="S",
        help="a call that finds no free connection for longer is dropped (%(default)s)",
    )
    add(
        "--timeout",
        type=duration,
        default=usual.reply_timeout_s,
        metavar="S",
        help="a reply that takes longer is an error (%(default)s, as with Exotel)",
    )
    goals = parser.add_argument_group("goals", "exit code 1 if a goal is missed")
    add = goals.add_argument
    add(
        "--p99", type=duration, metavar="T", help="the highest 99th percentile of the latencies, such as 25ms"
    )
    add("--errors", type=count, metavar="N", help="the most requests without a 2xx")
    add("--dropped", type=count, metavar="N", help="the most calls that are not sent in time")
    add("--min-rate", type=positive, metavar="R", help="the lowest rate of answered calls per second")
    add(
        "--check-api",
        type=url,
        metavar="URL",
        help="the private listener: check there that every acknowledged call is stored",
    )
    output = parser.add_argument_group("output")
    add = output.add_argument
    add(
        "--progress",
        action="store_true",
        help="print a JSON line per second to stderr, if it is not a terminal",
    )
    add(
        "--hdr",
        type=writable_path,
        metavar="FILE",
        help="write the latencies for the plotter of HdrHistogram",
    )
    add("--json", type=writable_path, metavar="FILE", help="write the results as JSON")


def read_plan(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> LoadPlan:
    """Everything together; ends the program with exit code 2 where it does not make sense."""
    closed = arguments.rate == math.inf
    if arguments.profile is None and (arguments.rate is None or arguments.for_s is None):
        parser.error("give --rate and --for, or a --profile; for example --rate 1000 --for 30s")
    if closed and (arguments.profile or arguments.burst or arguments.ramp):
        parser.error("--rate max has no rate that a --profile, --burst or --ramp could shape")
    if arguments.profile:
        profile = PROFILES[arguments.profile]
        if arguments.for_s is not None:
            profile = profile.fit_into(arguments.for_s)
    else:
        profile = LoadProfile(rate=arguments.rate, for_s=arguments.for_s)
    changes = {
        "rate": arguments.rate,
        "bursts": tuple(arguments.burst or ()) or None,
        "repeats": arguments.repeats,
        "exophones": tuple(arguments.exophone or ()) or None,
        "shape": arguments.shape and LoadShape(arguments.shape),
    }
    profile = replace(profile, **{name: each for name, each in changes.items() if each is not None})
    for each in profile.bursts:
        if each.at_s >= profile.for_s:
            parser.error(f"--burst at {each.at_s:g} s lies after the end of --for {profile.for_s:g} s")
    fastest = max([profile.rate, *(each.rate for each in profile.bursts)])
    connections = arguments.connections
    warm = connections if closed else min(connections, 4 + math.ceil(fastest * WARM_SHARE_S))
    return LoadPlan(
        url=arguments.url,
        profile=profile,
        is_closed_loop=closed,
        arrivals=Arrivals(arguments.arrivals),
        ramp_s=arguments.ramp,
        seed=arguments.seed,
        limits=LoadLimits(connections, warm, arguments.start_within, arguments.timeout),
        goals=LoadGoals(arguments.p99, arguments.errors, arguments.dropped, arguments.min_rate),
        progress=arguments.progress,
        check_api=arguments.check_api,
        hdr=arguments.hdr,
        json=arguments.json,
    )


def duration(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", text)
    if found is None or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 30s, 5m, 25ms, or seconds")
    return float(found[1]) * UNITS_S[found[2]]


def rate(text: str) -> float:
    return math.inf if text == "max" else positive(text)


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def at_least_one(text: str) -> int:
    if not count(text):
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return int(text)


def fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return value


def burst(text: str) -> Burst:
    fast, _, rest = text.partition("x")
    long, _, start = rest.partition("@")
    if not rest:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no burst; write 2500x10s, or 2500x10s@1m for a later one"
        )
    return Burst(positive(fast), duration(long), duration(start) if start else 0.0)


def writable_path(text: str) -> Path:
    """A file that can be written: it would be a pity to learn after the load that it cannot."""
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written")
    return path


def number(text: str) -> str:
    found = parse_number(text)
    if found is None or not found.startswith("+"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a telephone number; it looks like +918047120001")
    return found


def url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "https":
        raise argparse.ArgumentTypeError(
            "the load speaks plain HTTP; point it at the daemon, behind its proxy"
        )
    try:
        is_whole = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not text.isascii():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a URL such as http://127.0.0.1:8080/exotel/TOKEN/missed-call"
        )
    return text
