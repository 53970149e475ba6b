"""Values that are valid but unusual, compared with the values that the provider recommends.

campaign "shop": callback.ring_timeout: is 1s: nobody answers so fast …; write 30s, or 15s at least
campaign "shop": hours.open: 09:30-07:00 runs over midnight, 21h30m in all; if …, write 09:30-19:00
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from missedd.config.hours import format_hours
from missedd.config.values import format_duration
from missedd.core.business_hours import BusinessHours, WeeklyWindow
from missedd.core.policy import CallbackPolicy, Campaign

MIN_DEDUP_WINDOW: Final = timedelta(minutes=1)
MAX_DELAY: Final = timedelta(seconds=60)
MAX_CALLBACKS_PER_HOUR: Final = 2
MIN_RING_TIMEOUT: Final = timedelta(seconds=15)
MAX_OVERNIGHT: Final = timedelta(hours=12)
"""A longer window over midnight is more likely a mistake: hours of a 12-hour clock, or the wrong order."""

_HALF_A_DAY: Final = timedelta(hours=12)


def recommendation_warnings(campaign: Campaign) -> Iterator[str]:
    """A warning for each value outside the recommended range: its key, the reason, and what to write."""
    if (campaign.callback or campaign.sms) and campaign.dedup_window < MIN_DEDUP_WINDOW:
        yield (
            f"{campaign.label}: dedup_window: is {format_duration(campaign.dedup_window)}, so a caller who "
            "calls several times gets several callbacks or SMS; with 5m such calls count as one, which suits "
            "most campaigns"
        )
    if campaign.callback is not None:
        yield from (
            f"{campaign.label}: callback.{text}" for text in _callback_recommendations(campaign.callback)
        )
    if campaign.hours is not None:
        yield from (f"{campaign.label}: hours.open: {text}" for text in _doubtful_overnight(campaign.hours))


def _callback_recommendations(callback: CallbackPolicy) -> Iterator[str]:
    if callback.delay > MAX_DELAY:
        yield (
            f"delay: is {format_duration(callback.delay)}: the longer the delay, the fewer customers answer; "
            "15s to 30s is best, and at most 1m is recommended"
        )
    if callback.max_per_hour > MAX_CALLBACKS_PER_HOUR:
        yield (
            f"max_per_hour: is {callback.max_per_hour}: so many callbacks annoy people, and they report the "
            "number as spam; 1 or 2 is recommended"
        )
    if callback.ring_timeout < MIN_RING_TIMEOUT:
        yield (
            f"ring_timeout: is {format_duration(callback.ring_timeout)}: nobody answers so fast, because the "
            "network needs some seconds before the phone rings; write 30s, or 15s at least"
        )
    for i, agent in enumerate(callback.agents):
        if agent.hours is not None:
            yield from (f"agents[{i}].open: {text}" for text in _doubtful_overnight(agent.hours))


def _doubtful_overnight(hours: BusinessHours) -> Iterator[str]:
    """Windows over midnight that are too long for a night."""
    for window in hours.windows:
        start, end = _times_of_day(window)
        length = timedelta(days=1) - start + end
        if window.crosses_midnight and end and length > MAX_OVERNIGHT:
            evening = end + _HALF_A_DAY
            first, last = (start, evening) if start < evening and start < _HALF_A_DAY else (end, start)
            yield (
                f"{format_hours(window.start, window.end)} runs over midnight, {format_duration(length)} in "
                f"all; if that is not intended, write {_format_time(first)}-{_format_time(last)}"
            )


def _times_of_day(window: WeeklyWindow) -> tuple[timedelta, timedelta]:
    start, end = (timedelta(hours=at.hour, minutes=at.minute) for at in (window.start, window.end))
    return start, end


def _format_time(of_day: timedelta) -> str:
    minutes = of_day // timedelta(minutes=1)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
