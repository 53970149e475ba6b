"""What a load is made of: who rings, how often, from how many ExoPhones, and three known sizes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from simulator.load.schedule import Burst

MINUTE_S: Final = 60.0


class LoadShape(StrEnum):
    NATIVE = "native"
    PASSTHRU = "passthru"
    BOTH = "both"
    """Half of the calls in either shape."""


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """A load without its target. Shares are fractions of the calls."""

    rate: float
    for_s: float
    exophones: tuple[str, ...] = ("+918047120001",)
    bursts: tuple[Burst, ...] = ()
    repeats: float = 0.0
    """Calls by somebody who has rung before."""
    duplicated: float = 0.0
    """Deliveries that come a second time at once."""
    redelivered: float = 0.0
    """Deliveries that come a second time minutes later, as their answer was lost."""
    late: float = 0.0
    """Deliveries whose first try was lost: they tell of a call minutes ago."""
    redelivery_s: tuple[float, ...] = (5 * MINUTE_S, 20 * MINUTE_S)
    shape: LoadShape = LoadShape.NATIVE

    def fit_into(self, for_s: float) -> LoadProfile:
        """As much of it as fits into `for_s`: rates stay, a burst takes a quarter of the time at most."""
        share = for_s / self.for_s
        return replace(
            self,
            for_s=for_s,
            bursts=tuple(replace(each, for_s=min(each.for_s, for_s / 4)) for each in self.bursts),
            redelivery_s=tuple(each * min(1.0, share) for each in self.redelivery_s),
        )


PROFILES: Final[Mapping[str, LoadProfile]] = MappingProxyType(
    {
        # A shop's busiest hour: 75 calls, ten of them within ten seconds, every fourth a repeat.
        "L1": LoadProfile(
            rate=75 / 3600, for_s=60 * MINUTE_S, bursts=(Burst(1.0, 10.0),), repeats=0.25, duplicated=0.02
        ),
        # The busiest hour of a regional campaign: 25,000 calls and a minute at 50 a second.
        "L2": LoadProfile(
            rate=7.0,
            for_s=60 * MINUTE_S,
            bursts=(Burst(50.0, MINUTE_S),),
            repeats=0.23,
            redelivered=0.02,
            shape=LoadShape.BOTH,
        ),
        # A national TV vote: a quarter of an hour at all that one account's lines can carry, and
        # ten seconds of twice as much as the lines open.
        "L3": LoadProfile(
            rate=1250.0,
            for_s=15 * MINUTE_S,
            exophones=tuple(f"+9180471200{number:02d}" for number in range(1, 11)),
            bursts=(Burst(2500.0, 10.0),),
            repeats=0.23,
            duplicated=0.005,
            late=0.005,
        ),
    }
)
