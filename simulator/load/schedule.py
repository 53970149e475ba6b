"""When calls arrive: a rate over time, and the instants that follow from it.

The instants are planned without regard to how the other side fares. That is what makes the model
open: somebody who rings does not know that the caller before is still being answered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from random import Random


class Arrivals(StrEnum):
    POISSON = "poisson"
    """Independent callers: gaps are exponential, and some come close together."""
    CONSTANT = "constant"
    """Equal gaps, for comparing two runs."""


@dataclass(frozen=True, slots=True)
class Burst:
    """For `for_s` seconds from `at_s` the rate is this one, whatever it is around it."""

    rate: float
    for_s: float
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RateSegment:
    """A time in which the rate goes in a straight line from one value to another."""

    start_s: float
    end_s: float
    start_rate: float
    end_rate: float

    @property
    def calls(self) -> float:
        return (self.end_s - self.start_s) * (self.start_rate + self.end_rate) / 2

    def time_of_call(self, calls: float) -> float:
        """The instant by which the stretch has seen so many calls: the area under the line, turned round."""
        slope = (self.end_rate - self.start_rate) / (self.end_s - self.start_s)
        if abs(slope) < 1e-12:
            return self.start_s + calls / self.start_rate
        return (
            self.start_s
            + (math.sqrt(max(0.0, self.start_rate**2 + 2 * slope * calls)) - self.start_rate) / slope
        )


def rate_segments(
    rate: float, for_s: float, ramp_s: float = 0.0, bursts: Sequence[Burst] = ()
) -> list[RateSegment]:
    """The rate over `for_s` seconds: up from nothing within `ramp_s`, then steady, but for the bursts."""

    def steady(at_s: float) -> float:
        return rate * min(1.0, at_s / ramp_s) if ramp_s else rate

    edges = {0.0, for_s, min(ramp_s, for_s)}
    for burst in bursts:
        edges |= {min(burst.at_s, for_s), min(burst.at_s + burst.for_s, for_s)}
    ordered = sorted(edges)
    stretches = []
    for begins_s, ends_s in pairwise(ordered):
        middle_s = (begins_s + ends_s) / 2
        inside = [each for each in bursts if each.at_s <= middle_s < each.at_s + each.for_s]
        first, last = (inside[-1].rate,) * 2 if inside else (steady(begins_s), steady(ends_s))
        stretches.append(RateSegment(begins_s, ends_s, first, last))
    return stretches


def arrival_times(segments: Sequence[RateSegment], arrivals: Arrivals, rng: Random) -> Iterator[float]:
    """The planned instants, in seconds from the start, in order.

    Both kinds are one walk along the expected number of calls: in steps of one for equal gaps, in
    exponential steps for a Poisson process, which stays one however the rate changes.
    """
    is_poisson = arrivals is Arrivals.POISSON
    # Equal gaps begin half a gap in, so that as many fit as the rate says.
    reached = rng.expovariate(1.0) if is_poisson else 0.5
    before = 0.0
    for stretch in segments:
        calls = stretch.calls
        while reached < before + calls:
            yield stretch.time_of_call(reached - before)
            reached += rng.expovariate(1.0) if is_poisson else 1.0
        before += calls
