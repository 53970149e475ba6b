"""How many requests an application may be sent at once, beside the others.

All of them share some places. One application that hangs would fill them all and let every other wait
for its timeouts; so an address that answers late gets few of them, and every other always has some.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

PLACES: Final = 16
"""Requests that are out to applications at once, while none needs what is kept for it beyond that."""

QUARTER: Final = PLACES // 4
HALF: Final = PLACES // 2

HANGS_AFTER_S: Final = 2.0
"""A request that has been out for longer shows an application that hangs, or is too slow for its calls."""


class Standing(Enum):
    """How an address answers."""

    UNTRIED = auto()
    """Nothing has been heard of it yet."""
    ANSWERS = auto()
    HANGS = auto()
    """A request is out for too long, or the last one that ended got no answer in time."""


@dataclass(frozen=True, slots=True)
class Share:
    """What an address takes of the places: requests that are out to it."""

    standing: Standing
    out: int


def free_places(of: Share, out: int, out_to_hanging: int, *, is_only: bool = False) -> int:
    """How many more requests may go to one address, at least 0.

    `out` are those to all addresses, `out_to_hanging` those to addresses that hang. A quarter of the
    places is everybody's own, whatever the others take; the rest is for whoever answers. Addresses
    that hang share a half. Where there `is_only` one address nobody needs to be kept a place: an
    application that takes three seconds for each is served as fast as it can be.
    """
    if is_only:
        return max(0, PLACES - out)
    own = QUARTER - of.out
    match of.standing:
        case Standing.HANGS:
            free = min(own, HALF - out_to_hanging)
        case Standing.UNTRIED:
            free = own
        case Standing.ANSWERS:
            free = max(own, PLACES - out)
    return max(0, free)
