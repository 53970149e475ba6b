"""A run of faults, one after the other, while people ring: strikes, waits until all is well, and judges."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random

from tests.chaos.faults import FAULTS
from tests.chaos.figures import Round
from tests.chaos.site import Site
from tests.chaos.stored import read_stored
from tests.chaos.verdict import ChaosResult, judge

BETWEEN_S = (0.5, 2.5)
"""Quiet time before each fault, so that it does not always meet the same moment."""


def run(
    kinds: Sequence[str],
    rounds: int,
    seed: int,
    calls_per_s: float,
    per_minute: int,
    settle_s: float,
    say: Callable[[str], None],
) -> ChaosResult:
    """Strike with each of `kinds` so many times, mixed. Then wait at most `settle_s` for what is due."""
    rng = Random(seed)
    plan = [kind for kind in kinds for _ in range(rounds)]
    rng.shuffle(plan)
    done: list[Round] = []
    with Site(rng, per_minute) as site:
        say(f"all is well: {site.folder}, {site.cluster.folder}")
        with site.callers(calls_per_s):
            for number, kind in enumerate(plan, 1):
                time.sleep(rng.uniform(*BETWEEN_S))
                began = time.monotonic()
                done.append(_strike(site, kind))
                say(f"{number}/{len(plan)} {kind}: all is well after {time.monotonic() - began:.1f} s")
        site.wait_until_settled(settle_s)
        truth = site.exchange.control("GET", "truth")
        return judge(truth, read_stored(site, truth), done, per_minute, datetime.now(UTC))


def _strike(site: Site, kind: str) -> Round:
    at: list[datetime] = []
    FAULTS[kind](site, lambda: at.append(datetime.now(UTC)))
    site.wait_until_well()
    (struck_at,) = at
    return Round(kind, struck_at)
