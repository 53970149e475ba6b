"""The state that the parts of the exchange share: time, randomness, ground truth, people, faults, nursery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import trio

from simulator.exchange.model.busy_lines import AccountChannels, BusyLines
from simulator.exchange.model.faults import ActiveFaults
from simulator.exchange.model.formats import new_sid
from simulator.exchange.model.ground_truth import GroundTruth
from simulator.exchange.model.people import PersonRegistry
from simulator.exchange.model.records import InboundRing
from simulator.exchange.model.settings import ExchangeSettings

WHITELIST_DURATION = timedelta(days=183)
"""A person who rang an ExoPhone may be called back for six months, on the DND register or not."""


@dataclass(slots=True)
class ExchangeState:
    """`now` gives aware UTC; waiting is trio's, so both must tell the same time in virtual runs."""

    nursery: trio.Nursery
    now: Callable[[], datetime]
    settings: ExchangeSettings
    sid_rng: Random
    """Draws Sids and nothing else, so that a call more does not change anybody's luck."""
    rng: Random
    faults: ActiveFaults
    people: PersonRegistry
    print_line: Callable[[str], None] = lambda line: None
    """Told what somebody at a terminal would want to know, a line each."""
    ground_truth: GroundTruth = field(default_factory=GroundTruth)
    lines: BusyLines = field(default_factory=BusyLines)
    channels: AccountChannels = field(default_factory=AccountChannels)
    last_rang_at: dict[str, datetime] = field(default_factory=dict)
    """By number, when they last rang an ExoPhone: the automatic whitelist."""
    added_to_whitelist_at: dict[str, datetime] = field(default_factory=dict)
    """By number, when a request put it there."""
    exophones: dict[str, dict[str, str]] = field(default_factory=dict)
    """By number, what a request changed of an ExoPhone: its name and its flows."""

    def new_sid(self) -> str:
        return new_sid(self.sid_rng, self.now())

    def record_inbound_call(self, ring: InboundRing) -> None:
        self.last_rang_at[ring.number] = ring.rung_at

    def whitelist_entry(self, number: str) -> tuple[str, int] | None:
        """By whom the number is on the whitelist (`Customer`, `API`), and for how many seconds yet."""
        rang_at = self.last_rang_at if self.settings.whitelists_callers else {}
        for kind, since in (("Customer", rang_at), ("API", self.added_to_whitelist_at)):
            at = since.get(number)
            left = None if at is None else at + WHITELIST_DURATION - self.now()
            if left is not None and left > timedelta(0):
                return kind, int(left.total_seconds())
        return None

    async def sleep_until(self, at: datetime) -> None:
        """Wait for an instant of `now`, however the clock was stepped meanwhile."""
        while (left_s := (at - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 (a clock has no event)
            await trio.sleep(left_s)
