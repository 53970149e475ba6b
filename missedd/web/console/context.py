"""What the pages of the console have in common: reads, operations, policy, clock, and state of the engine."""

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
from missedd.web.shared.ports import ClusterReader, Operations


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    read: StoreReader
    operations: Operations
    policy: Policy
    clock: Clock
    cluster: ClusterReader
    requests_per_minute: Mapping[Lane, int] = field(default_factory=dict)
    """Requests per minute that the account's rate limit allows, by lane."""
    troubles: Callable[[], Sequence[Trouble]] = tuple
    """The troubles that last now, the oldest first."""
    hold_reason: Callable[[Lane], str | None] = lambda lane: None
    """Why a lane sends nothing at the moment, or None if it sends."""
    query_cache: QueryCache = field(default_factory=QueryCache)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.policy.timezone)

    def local_now(self) -> datetime:
        return self.clock.now().astimezone(self.zone)

    def midnight(self) -> datetime:
        """The start of today in the policy's time zone."""
        return datetime.combine(self.local_now().date(), time(), self.zone)

    def to_local(self, iso: str) -> datetime:
        return datetime.fromisoformat(iso).astimezone(self.zone)
