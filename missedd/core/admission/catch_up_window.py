"""Which stretch of the provider's list of incoming calls is read for calls that no webhook told of.

The stretch begins where the last one ended, a little earlier, and ends some minutes ago: the
webhook of a younger call may still be on its way. Nothing from before missedd's own time is read,
and nothing that is older than the provider lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WEBHOOK_GRACE: Final = timedelta(minutes=2)
"""A call younger than this may still ring, or its webhook may still be on its way. A webhook that
comes later than this, as Exotel's own retries after five and twenty minutes do, is a redelivery."""

OVERLAP: Final = timedelta(minutes=2)
"""The stretches overlap by this much: the provider's clock is not ours, and its list lags by seconds."""

MAX_RANGE: Final = timedelta(days=30)
"""Exotel lists a month at most in one request."""

MAX_CALL_DURATION: Final = timedelta(minutes=30)
"""How long a call may go on before it is taken for a conversation and no longer waited for. Details
are final a quarter of an hour after the end of a call at the latest."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """`responsible_since` is when missedd began to be responsible; all calls before `covered_until` are
    known."""

    responsible_since: datetime
    covered_until: datetime


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Calls of `since` and later, up to and including `until`."""

    since: datetime
    until: datetime

    def contains(self, called_at: datetime) -> bool:
        # The provider's list knows whole seconds.
        return self.since.replace(microsecond=0) <= called_at <= self.until


def next_range(watermark: Watermark, now: datetime) -> TimeRange | None:
    """What to read now; None while there is nothing.

    A mark ahead of `now` was made by a clock that was wrong; then the last stretch is read again.
    """
    until = now - WEBHOOK_GRACE
    since = max(min(watermark.covered_until, until) - OVERLAP, watermark.responsible_since, now - MAX_RANGE)
    return TimeRange(since, until) if since < until else None


def next_covered_until(read_range: TimeRange, oldest_unfinished: datetime | None) -> datetime:
    """Until when all is known once a stretch has been read; calls that go on are left for the next one."""
    if oldest_unfinished is None:
        return read_range.until
    return min(read_range.until, max(oldest_unfinished, read_range.until - MAX_CALL_DURATION))
