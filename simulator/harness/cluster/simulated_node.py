"""One of several simulated daemons as seen from outside: it may stand still, and links of it may be cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.harness.cluster.simulated_database import SimulatedDatabase
from simulator.harness.cluster.standstill import Standstill
from simulator.scenario.cluster import Link


@dataclass(eq=False, slots=True)
class SimulatedNode:
    number: int
    """From 1."""
    database: SimulatedDatabase
    standstill: Standstill = field(default_factory=Standstill)
    cuts: Counter[Link] = field(default_factory=Counter)
    """How many cuts each link has at the moment; they may overlap."""
    on_write: Callable[[], None] | None = None
    """Called after each commit of the daemon's store, at which a standstill may begin."""

    def is_cut_from(self, link: Link) -> bool:
        return self.cuts[link] > 0

    def stand_still_after_writes(self, count: int, begin: Callable[[], None]) -> None:
        """Call `begin` right after the `count`th next commit, before the daemon acts on what it wrote."""
        left = count

        def on_write() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.on_write = None
                begin()

        self.on_write = on_write

    def why_no_news(self) -> str | None:
        """Why the daemon neither sends nor hears news at the moment; None if it does."""
        return self.why_no_database() or ("no news come through" if self.is_cut_from(Link.NEWS) else None)

    def meet(self, situation: str) -> None:
        """Count that something rare happened, by its name in `simulator.invariants.situations`."""
        self.database.situations[situation] += 1

    def why_no_database(self) -> str | None:
        """Why the daemon has no connection to the database at the moment; None if it has one."""
        if self.database.is_away():
            return "connection refused: the database is away"
        return "no route to the database" if self.is_cut_from(Link.DATABASE) else None
