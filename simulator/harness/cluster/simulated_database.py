"""The PostgreSQL of a simulated cluster: its time, and what goes wrong with it and on the way to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from missedd.base.clock import to_us
from simulator.harness.cluster.simulated_news import SimulatedNews
from simulator.scenario.cluster import DatabaseFault


@dataclass(eq=False, slots=True)
class ActiveDatabaseFault:
    name: DatabaseFault
    probability: float = 1.0


@dataclass(eq=False, slots=True)
class SimulatedDatabase:
    """A database of a real PostgreSQL, whose clock shows `true_now`."""

    true_now: Callable[[], datetime]
    rng: Random
    active: list[ActiveDatabaseFault] = field(default_factory=list)
    news: SimulatedNews = field(default_factory=SimulatedNews)
    situations: Counter[str] = field(default_factory=Counter)
    """How often something rare happened, by its name in `simulator.invariants.situations`."""

    def now_us(self) -> int:
        return to_us(self.true_now())

    def is_away(self) -> bool:
        return self._strikes(DatabaseFault.AWAY)

    def breaks_before_commit(self) -> bool:
        return self._strikes(DatabaseFault.LOSE_COMMITS)

    def breaks_after_commit(self) -> bool:
        return self._strikes(DatabaseFault.LOSE_ANSWERS)

    @property
    def is_troubled(self) -> bool:
        """Whether any fault lasts, so that even a short start may fail again and again."""
        return bool(self.active)

    def _strikes(self, name: DatabaseFault) -> bool:
        return any(
            fault.name is name and (fault.probability >= 1 or self.rng.random() < fault.probability)
            for fault in self.active
        )
