"""How many requests an application may be sent at once, beside the others.

All of them share some places. One application that hangs would fill them all and let every other wait
for its timeouts; so an address that answers late gets few of them, and every other always has some.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

MAX_REQUESTS: Final = 16
"""Requests that are out to applications at once, while none needs what is kept for it beyond that."""

RESERVED_PER_ENDPOINT: Final = MAX_REQUESTS // 4
MAX_TO_HANGING: Final = MAX_REQUESTS // 2

HANG_THRESHOLD_S: Final = 2.0
"""A request that has been out for longer shows an application that hangs, or is too slow for its calls."""


class EndpointHealth(Enum):
    """How an address answers."""

    UNTRIED = auto()
    """Nothing has been heard of it yet."""
    RESPONSIVE = auto()
    HANGING = auto()
    """A request is out for too long, or the last one that ended got no answer in time."""


@dataclass(frozen=True, slots=True)
class EndpointLoad:
    """What an address takes of the places: requests that are out to it."""

    health: EndpointHealth
    in_flight: int


def free_slots(
    endpoint: EndpointLoad, in_flight: int, in_flight_to_hanging: int, *, is_only: bool = False
) -> int:
    """How many more requests may go to one address, at least 0.

    `in_flight` are those to all addresses, `in_flight_to_hanging` those to addresses that hang. A quarter of
    the
    places is everybody's own, whatever the others take; the rest is for whoever answers. Addresses
    that hang share a half. Where there `is_only` one address nobody needs to be kept a place: an
    application that takes three seconds for each is served as fast as it can be.
    """
    if is_only:
        return max(0, MAX_REQUESTS - in_flight)
    own = RESERVED_PER_ENDPOINT - endpoint.in_flight
    match endpoint.health:
        case EndpointHealth.HANGING:
            free = min(own, MAX_TO_HANGING - in_flight_to_hanging)
        case EndpointHealth.UNTRIED:
            free = own
        case EndpointHealth.RESPONSIVE:
            free = max(own, MAX_REQUESTS - in_flight)
    return max(0, free)
