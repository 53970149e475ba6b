"""Alerts about actions that expire before their turn. One now and then is normal; a series needs a person.

Each expired action is closed by its campaign's own rule and logged at info. A series in one campaign is
logged as a warning with its count, once a minute at most. It is a trouble until none expires for an hour.
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
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.log.logger import Event, Logger

TROUBLE_THRESHOLD: Final = 5
SERIES_GAP_S: Final = 600.0
"""Seconds without an expiry after which the next one starts a new series."""

GATHER_S: Final = 5.0
"""Seconds to wait and count before a series is logged, as many actions expire together."""

LOG_EVERY_S: Final = 60.0
RESOLVED_AFTER_S: Final = 3600.0

_REMEDY: Final = (
    "the queue shows why they wait (the rate limit in [exotel], too few agents or lines, a pause, the "
    "provider), or let them wait for longer with give_up_after"
)
_NAMES: Final = {Kind.CALLBACK: ("callback", "callbacks"), Kind.SMS: ("SMS", "SMS")}


@dataclass(slots=True)
class _ExpirySeries:
    """The actions of one campaign that expired without a long gap. Times in `_s` are by trio's clock."""

    since: datetime
    latest_s: float = 0.0
    counts_by_kind: Counter[Kind] = field(default_factory=Counter)
    logged_count: int = 0
    """How many of them are in the log already."""

    @property
    def count(self) -> int:
        return self.counts_by_kind.total()

    @property
    def over_at_s(self) -> float:
        return self.latest_s + (RESOLVED_AFTER_S if self.logged_count else SERIES_GAP_S)


class ExpiryTroubles:
    """Counts expired actions by campaign, and reports a series."""

    def __init__(self, troubles: ActiveTroubles, clock: Clock, log: Logger) -> None:
        self._troubles = troubles
        self._clock = clock
        self._log = log
        self._series: dict[str, _ExpirySeries] = {}
        self._changed = trio.Event()

    def record_expired(self, campaign: str, kind: Kind) -> None:
        """Count an action that has just expired."""
        self._end_if_over(campaign)
        series = self._series.setdefault(campaign, _ExpirySeries(self._clock.now()))
        series.counts_by_kind[kind] += 1
        series.latest_s = trio.current_time()
        self._changed.set()

    async def run(self) -> None:
        while True:
            over_at = min((series.over_at_s for series in self._series.values()), default=math.inf)
            with trio.move_on_at(over_at):
                await self._changed.wait()
            self._changed = trio.Event()
            await trio.sleep(GATHER_S)
            for campaign in list(self._series):
                self._end_if_over(campaign)
            if self._log_series():
                await trio.sleep(LOG_EVERY_S - GATHER_S)

    def _end_if_over(self, campaign: str) -> None:
        """Forget a campaign's series if it is over."""
        series = self._series.get(campaign)
        if series is not None and trio.current_time() >= series.over_at_s:
            del self._series[campaign]
            self._troubles.resolve(TroubleKind.EXPIRING, campaign)

    def _log_series(self) -> bool:
        """Log each series that has grown since the last log line. Returns whether there was one."""
        has_logged = False
        for campaign, series in self._series.items():
            more = series.count - series.logged_count
            if series.count < TROUBLE_THRESHOLD or not more:
                continue
            has_logged, series.logged_count = True, series.count
            self._log.warning(Event.ACTIONS_EXPIRED, campaign=campaign, count=more, in_all=series.count)
            what = " and ".join(
                f"{n:,} {_NAMES[kind][n > 1]}"
                for kind, n in sorted(series.counts_by_kind.items())
                if kind in _NAMES
            )
            self._troubles.record(
                TroubleKind.EXPIRING,
                campaign,
                f"{what} of {campaign} grew too old before their turn",
                _REMEDY,
                self._clock.now(),
                since=series.since,
            )
        return has_logged
