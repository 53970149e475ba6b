"""What every page of the console is made of: what is known, what may be done, and the clock on the wall."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from missedd.base.clock import Clock
from missedd.core.model import Lane
from missedd.core.policy import Policy
from missedd.core.upstream.trouble import Trouble
from missedd.store.reads.reader import StoreReader
from missedd.web.console.query_cache import QueryCache
from missedd.web.shared.ports import Operations


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    read: StoreReader
    operations: Operations
    policy: Policy
    clock: Clock
    requests_per_minute: Mapping[Lane, int] = field(default_factory=dict)
    """Requests a minute that the account's budget allows."""
    troubles: Callable[[], Sequence[Trouble]] = tuple
    """What goes wrong now, the oldest first."""
    hold_reason: Callable[[Lane], str | None] = lambda lane: None
    """The reason for which nothing goes out in a lane just now, where there is one."""
    query_cache: QueryCache = field(default_factory=QueryCache)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.policy.timezone)

    def local_now(self) -> datetime:
        return self.clock.now().astimezone(self.zone)

    def midnight(self) -> datetime:
        """The beginning of today."""
        return datetime.combine(self.local_now().date(), time(), self.zone)

    def to_local(self, iso: str) -> datetime:
        return datetime.fromisoformat(iso).astimezone(self.zone)
