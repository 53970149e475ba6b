"""What the engine gets from outside: clock, randomness, disk, network. A simulation passes its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import httpx

from missedd.base.clock import Clock
from missedd.engine.timing.clock_steps import ClockChanges, check_every_few_seconds
from missedd.store.backup.upgrade_copy import DEFAULT_UPGRADE, UpgradeOptions
from missedd.store.store import Driver


@dataclass(frozen=True, slots=True)
class Environment:
    """Time, randomness, the disk and the network, as the engine sees them."""

    clock: Clock
    rng: Random
    """Outside a simulation this is the operating system's source, as unguessable ids are drawn from it."""
    driver: Driver
    exotel_transport: httpx.AsyncBaseTransport | None = None
    webhook_transport: httpx.AsyncBaseTransport | None = None
    clock_steps: ClockChanges = check_every_few_seconds
    slept_s: Callable[[], float] = lambda: 0.0
    """Seconds that the machine has slept so far; trio's clock does not count them."""
    upgrade: UpgradeOptions = DEFAULT_UPGRADE
    """How to upgrade a database of an older release."""
