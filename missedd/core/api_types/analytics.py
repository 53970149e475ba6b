"""The figures of a campaign, or of all; `missedd.core.analytics.figures` says what each of them means."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import Count, about

Rate = Annotated[float | None, about("A fraction; null over nothing.")]
Wait = Annotated[float | None, about("Seconds, exact to two percent; null over nothing.")]
Hour = Annotated[int, Meta(ge=0, le=23)]


class WaitsJson(ApiObject, frozen=True):
    """How long people waited."""

    median: Wait
    p95: Wait


class HourJson(ApiObject, frozen=True):
    """The calls of an hour of the day."""

    hour: Hour
    calls: Count


class WeekdayHourJson(ApiObject, frozen=True):
    """The calls of an hour of a weekday."""

    weekday: Annotated[int, Meta(ge=0, le=6, description="Monday is 0.")]
    hour: Hour
    calls: Count


class DayJson(ApiObject, frozen=True):
    """The calls of a date."""

    date: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    calls: Count


class EndedCallbacksJson(ApiObject, frozen=True):
    """How many callbacks ended alike."""

    outcome: str
    reason: str
    count: Count


class EndedSmsJson(ApiObject, frozen=True):
    """How many SMS ended alike."""

    outcome: str
    reason: str
    code: str | None
    count: Count


class VerdictsJson(ApiObject, frozen=True):
    """How many calls were decided alike."""

    verdict: str
    reason: str
    calls: Count


class ActionCountJson(ApiObject, frozen=True):
    """How many actions of a kind stand alike."""

    kind: str
    state: str
    outcome: str | None
    count: Count


class FiguresJson(ApiObject, frozen=True):
    """The figures: the contract's first, then what explains them."""

    total_calls: Count
    unique_callers: Count
    callbacks_made: Count
    callbacks_answered: Count
    callback_success_rate: Rate
    agent_misses: Annotated[Count, about("Callbacks that only rang an agent, who did not come.")]
    leads: Count
    conversions: Count
    conversion_rate: Rate
    peak_hours: Annotated[list[HourJson], Meta(min_length=24, max_length=24)]
    recovered: Count
    sms_sent: Count
    sms_delivered: Count
    sms_delivery_rate: Rate
    seconds_to_callback: WaitsJson
    seconds_to_answer: WaitsJson
    callback_outcomes: list[EndedCallbacksJson]
    sms_by_reason: list[EndedSmsJson]
    verdicts: list[VerdictsJson]
    actions: list[ActionCountJson]
    weekday_hours: Annotated[list[WeekdayHourJson], Meta(min_length=7 * 24, max_length=7 * 24)]
    by_day: list[DayJson]
