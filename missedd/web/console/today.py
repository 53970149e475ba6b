"""The page "Today": analytics since midnight, calls by hour and weekday, what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from quart import Blueprint, request

from missedd.base.clock import to_iso
from missedd.core.analytics.figures import busiest_hour
from missedd.core.api_types.analytics import FiguresJson, HourJson, WeekdayHourJson
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import EARLY_WEBHOOK_ADVICE, Reason
from missedd.exotel.sms_status_codes import describe_code
from missedd.store.reads import reader
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page

SHOWN_CALLS: Final = 30
WEEKS: Final = 4
"""The period of the heat map."""
HEATMAP_TTL_S: Final = 20.0
"""The heat map changes slowly, so it is not computed for each request."""
NOT_REACHED: Final = (
    *(Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED),
    *(Outcome.REFUSED, Outcome.UNKNOWN),
)
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def add_today(console: Blueprint, context: ConsoleContext) -> None:
    read, timezone = context.read, context.policy.timezone

    async def weeks_of(campaign: str | None) -> Heat:
        since = context.midnight() - timedelta(weeks=WEEKS)
        return weekly_heatmap(
            (await read(reader.figures_soon, campaign, since, None, timezone)).weekday_hours
        )

    @console.get("/")
    async def today() -> str:
        campaign = request.args.get("campaign") or None
        midnight, now = context.midnight(), context.clock.now()
        tomorrow = midnight + timedelta(days=1)
        figures = await read(reader.figures_soon, campaign, midnight, tomorrow, timezone)
        refused = await read(reader.refused_sms, now)
        cluster = await context.cluster()
        return await render_page(
            "today.html",
            here="/",
            campaign=campaign,
            campaigns=await read(reader.campaigns),
            figures=figures,
            callbacks=callback_counts(figures),
            abroad=foreign_dropped(figures),
            peak=busiest_hour(figures.peak_hours),
            hours=shares(figures.peak_hours),
            heat=await context.query_cache.get(
                ("heat", campaign), partial(weeks_of, campaign), at_least_s=HEATMAP_TTL_S
            ),
            weeks=WEEKS,
            paused=await read(reader.pauses_json, now),
            quarantine=await read(reader.quarantine),
            attention=await read(reader.attention_counts),
            troubles=[(trouble, to_iso(trouble.since)) for trouble in context.troubles()],
            cluster_warnings=list(cluster.warnings()),
            refused_sms=[(sms, describe_code(sms.code or "")) for sms in refused],
            absent_agents=await read(reader.absent_agents),
            told_early=await read(reader.early_webhook_counts, now),
            told_early_advice=EARLY_WEBHOOK_ADVICE,
            calls=await read(reader.latest_calls, SHOWN_CALLS),
        )


def callback_counts(figures: FiguresJson) -> dict[str, int]:
    """Count today's callbacks as pending, answered, failed and not made. Callbacks that an agent missed are
    not among the failed ones; `agent_misses` counts them.
    """
    counts = {"pending": 0, "answered": 0, "failed": 0, "not_made": 0}
    for each in figures.actions:
        if each.kind != Kind.CALLBACK:
            continue
        if each.state != State.DONE:
            counts["pending"] += each.count
        elif each.outcome == Outcome.ANSWERED:
            counts["answered"] += each.count
        elif each.outcome in NOT_REACHED:
            counts["failed"] += each.count
        else:
            counts["not_made"] += each.count
    counts["failed"] -= figures.agent_misses
    return counts


def foreign_dropped(figures: FiguresJson) -> int:
    """Count today's callbacks and SMS that were dropped because of the number's country."""
    callbacks, texts = figures.callback_outcomes, figures.sms_by_reason
    reasons = [
        *((each.reason, each.count) for each in callbacks),
        *((each.reason, each.count) for each in texts),
    ]
    return sum(count for reason, count in reasons if reason == Reason.FOREIGN_NUMBER)


def shares[T: HourJson | WeekdayHourJson](hours: Sequence[T]) -> list[tuple[T, float]]:
    """Each hour with its calls as a share of the busiest one's."""
    most = max((each.calls for each in hours), default=0) or 1
    return [(each, each.calls / most) for each in hours]


@dataclass(frozen=True, slots=True)
class Heat:
    """The week's hours, each with its share of the busiest, and which that is."""

    cells: list[tuple[WeekdayHourJson, float]]
    busiest: str | None
    most: int
    days: tuple[str, ...] = DAYS


def weekly_heatmap(weekday_hours: Sequence[WeekdayHourJson]) -> Heat:
    most = max((each.calls for each in weekday_hours), default=0)
    busiest = next((each for each in weekday_hours if most and each.calls == most), None)
    spelt = None if busiest is None else f"{DAYS[busiest.weekday]} {busiest.hour:02d}:00"
    return Heat(shares(weekday_hours), spelt, most)
