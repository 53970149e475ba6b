"""What grows too old before its turn: now and then one is no news, several in a row need a person.

Each is closed by its campaign's own rule and told at info. Several of one campaign are a warning with their
count, once a minute at most, and stand among the troubles until none has expired for an hour.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import trio

from missedd.base.clock import Clock
from missedd.core.model import Kind
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.alerts.active_alerts import Troubles
from missedd.log.logger import Event, Logger

SEVERAL: Final = 5
APART_S: Final = 600.0
"""Those with more than this between them have nothing to do with each other."""

GATHERED_S: Final = 5.0
"""For so long what expires together is counted before it is told."""

TOLD_EVERY_S: Final = 60.0
OVER_AFTER_S: Final = 3600.0

_REMEDY: Final = (
    "see the queue for what holds them up (the budget in [exotel], too few agents or lines, a pause, the "
    "provider), or let them wait for longer with give_up_after"
)
_NAMES: Final = {Kind.CALLBACK: ("callback", "callbacks"), Kind.SMS: ("SMS", "SMS")}


@dataclass(slots=True)
class _Spell:
    """What expired of one campaign without a long time between."""

    since: datetime
    latest_s: float = 0.0
    kinds: Counter[Kind] = field(default_factory=Counter)
    told: int = 0
    """How many of them were told of."""

    @property
    def count(self) -> int:
        return self.kinds.total()

    @property
    def over_at(self) -> float:
        return self.latest_s + (OVER_AFTER_S if self.told else APART_S)


class Expiries:
    def __init__(self, troubles: Troubles, clock: Clock, log: Logger) -> None:
        self._troubles = troubles
        self._clock = clock
        self._log = log
        self._spells: dict[str, _Spell] = {}
        self._noted = trio.Event()

    def note(self, campaign: str, kind: Kind) -> None:
        """Count an action that has just expired."""
        self._end(campaign)
        spell = self._spells.setdefault(campaign, _Spell(self._clock.now()))
        spell.kinds[kind] += 1
        spell.latest_s = trio.current_time()
        self._noted.set()

    async def run(self) -> None:
        while True:
            over_at = min((spell.over_at for spell in self._spells.values()), default=math.inf)
            with trio.move_on_at(over_at):
                await self._noted.wait()
            self._noted = trio.Event()
            await trio.sleep(GATHERED_S)
            for campaign in list(self._spells):
                self._end(campaign)
            if self._tell():
                await trio.sleep(TOLD_EVERY_S - GATHERED_S)

    def _end(self, campaign: str) -> None:
        """Forget a campaign's spell if it is over."""
        spell = self._spells.get(campaign)
        if spell is not None and trio.current_time() >= spell.over_at:
            del self._spells[campaign]
            self._troubles.end(TroubleKind.EXPIRING, campaign)

    def _tell(self) -> bool:
        """Tell of the campaigns of which several have expired, and more since the last time."""
        is_told = False
        for campaign, spell in self._spells.items():
            more = spell.count - spell.told
            if spell.count < SEVERAL or not more:
                continue
            is_told, spell.told = True, spell.count
            self._log.warning(Event.ACTIONS_EXPIRED, campaign=campaign, count=more, in_all=spell.count)
            what = " and ".join(
                f"{n:,} {_NAMES[kind][n > 1]}" for kind, n in sorted(spell.kinds.items()) if kind in _NAMES
            )
            self._troubles.note(
                TroubleKind.EXPIRING,
                campaign,
                f"{what} of {campaign} grew too old before their turn",
                _REMEDY,
                self._clock.now(),
                since=spell.since,
            )
        return is_told
