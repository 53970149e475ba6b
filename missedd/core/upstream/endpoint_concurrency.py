"""How many requests may be sent to an application at once, besides those to the others.

All applications share a number of slots. An application that hangs would fill all of them and make the others
wait for its timeouts. So a slow address gets few slots, and every other address always has some.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

MAX_REQUESTS: Final = 16
"""Requests to applications at once, as long as no address needs its reserved slots beyond that."""

RESERVED_PER_ENDPOINT: Final = MAX_REQUESTS // 4
MAX_TO_HANGING: Final = MAX_REQUESTS // 2

HANG_THRESHOLD_S: Final = 2.0
"""A request that takes longer (seconds) shows that the application hangs, or is too slow for its calls."""


class EndpointHealth(Enum):
    """How an address responds."""

    UNTRIED = auto()
    """It has not responded yet."""
    RESPONSIVE = auto()
    HANGING = auto()
    """A request takes too long, or the last one got no answer in time."""


@dataclass(frozen=True, slots=True)
class EndpointLoad:
    """The slots that an address uses: its requests in flight."""

    health: EndpointHealth
    in_flight: int


def free_slots(
    endpoint: EndpointLoad, in_flight: int, in_flight_to_hanging: int, *, is_only: bool = False
) -> int:
    """How many more requests may go to one address, at least 0.

    `in_flight` counts requests to all addresses, `in_flight_to_hanging` those to addresses that hang. A
    quarter of the slots is reserved for each address. The rest is for addresses that respond; those that hang
    share a half. If this `is_only` one address, nothing is reserved for others: an application that needs
    three seconds for each request is served as fast as possible.
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
