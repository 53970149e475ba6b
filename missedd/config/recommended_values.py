"""What a campaign may say and hardly means, held against the values that the provider recommends.

campaign "shop": callback.ring_timeout: is 1s: nobody answers so fast …; write 30s, or 15s at the least
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
"""A longer opening over midnight is more likely an afternoon's hour as clocks show it, or the wrong order."""

_HALF_A_DAY: Final = timedelta(hours=12)


def recommendation_warnings(campaign: Campaign) -> Iterator[str]:
    """A warning for each value that is beyond what is recommended, with its key, why, and what to do."""
    if (campaign.callback or campaign.sms) and campaign.dedup_window < MIN_DEDUP_WINDOW:
        yield (
            f"{campaign.label}: dedup_window: is {format_duration(campaign.dedup_window)}, so who "
            "rings several times is "
            "called back or texted several times; 5m takes that for one wish and suits most"
        )
    if campaign.callback is not None:
        yield from (
            f"{campaign.label}: callback.{said}" for said in _callback_recommendations(campaign.callback)
        )
    if campaign.hours is not None:
        yield from (f"{campaign.label}: hours.open: {said}" for said in _doubtful_overnight(campaign.hours))


def _callback_recommendations(callback: CallbackPolicy) -> Iterator[str]:
    if callback.delay > MAX_DELAY:
        yield (
            f"delay: is {format_duration(callback.delay)}: the longer the wait, the fewer "
            "customers answer; 15s to "
            "30s is best, and 1m the most that is recommended"
        )
    if callback.max_per_hour > MAX_CALLBACKS_PER_HOUR:
        yield (
            f"max_per_hour: is {callback.max_per_hour}: so many callbacks to one number are a nuisance, and "
            "reported as spam; 1 or 2 is recommended"
        )
    if callback.ring_timeout < MIN_RING_TIMEOUT:
        yield (
            f"ring_timeout: is {format_duration(callback.ring_timeout)}: nobody answers so fast, "
            "as the network takes "
            "some seconds to ring at all; write 30s, or 15s at the least"
        )
    for i, agent in enumerate(callback.agents):
        if agent.hours is not None:
            yield from (f"agents[{i}].open: {said}" for said in _doubtful_overnight(agent.hours))


def _doubtful_overnight(hours: BusinessHours) -> Iterator[str]:
    """Windows over midnight that are too long to be a night's."""
    for window in hours.windows:
        start, end = _times_of_day(window)
        length = timedelta(days=1) - start + end
        if window.crosses_midnight and end and length > MAX_OVERNIGHT:
            evening = end + _HALF_A_DAY
            first, last = (start, evening) if start < evening and start < _HALF_A_DAY else (end, start)
            yield (
                f"{format_hours(window.start, window.end)} runs over midnight, "
                f"{format_duration(length)} in all; if "
                f"that is not meant, write {_format_time(first)}-{_format_time(last)}"
            )


def _times_of_day(window: WeeklyWindow) -> tuple[timedelta, timedelta]:
    start, end = (timedelta(hours=at.hour, minutes=at.minute) for at in (window.start, window.end))
    return start, end


def _format_time(of_day: timedelta) -> str:
    minutes = of_day // timedelta(minutes=1)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
