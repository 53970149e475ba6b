"""Which part of the provider's list of incoming calls is read, to find calls that no webhook reported.

The range begins a little before the end of the last one and ends some minutes ago, because the webhook of a
younger call may still be on its way. Calls from before missedd was responsible are not read, nor calls older
than the provider lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WEBHOOK_GRACE: Final = timedelta(minutes=2)
"""A call younger than this may still ring, or its webhook may still be on its way. A webhook that comes
later, such as Exotel's retries after five and twenty minutes, is a redelivery."""

OVERLAP: Final = timedelta(minutes=2)
"""Ranges overlap by this much: the provider's clock differs from ours, and its list lags by seconds."""

MAX_RANGE: Final = timedelta(days=30)
"""Exotel lists at most one month in one request."""

MAX_CALL_DURATION: Final = timedelta(minutes=30)
"""A call that lasts longer is taken for a conversation, and its end is no longer awaited. The details of a
call are final a quarter of an hour after its end at the latest."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """`responsible_since`: when missedd became responsible. `covered_until`: all calls before it are known.
    Both UTC."""

    responsible_since: datetime
    covered_until: datetime


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Calls at `since` or later, up to and including `until`."""

    since: datetime
    until: datetime

    def contains(self, called_at: datetime) -> bool:
        # The provider's list has whole seconds.
        return self.since.replace(microsecond=0) <= called_at <= self.until


def next_range(watermark: Watermark, now: datetime) -> TimeRange | None:
    """The range to read now; None if there is nothing to read.

    A wrong clock may have set a watermark that is ahead of `now`. In that case the last range is read again.
    """
    until = now - WEBHOOK_GRACE
    since = max(min(watermark.covered_until, until) - OVERLAP, watermark.responsible_since, now - MAX_RANGE)
    return TimeRange(since, until) if since < until else None


def next_covered_until(read_range: TimeRange, oldest_unfinished: datetime | None) -> datetime:
    """The new watermark after a range was read. Calls that are not over yet are left for the next range."""
    if oldest_unfinished is None:
        return read_range.until
    return min(read_range.until, max(oldest_unfinished, read_range.until - MAX_CALL_DURATION))
