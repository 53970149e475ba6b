"""Today at a glance: the figures since midnight, when people ring, what needs a person, the latest calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any, Final

from quart import Blueprint, request

from missedd.base.clock import to_iso
from missedd.core.analytics.figures import busiest_hour
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import EARLY_WEBHOOK_ADVICE, Reason
from missedd.exotel.sms_status_codes import describe_code
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page

SHOWN_CALLS: Final = 30
WEEKS: Final = 4
"""How far back the heat map looks."""
HEATMAP_TTL_S: Final = 20.0
"""The picture changes slowly, so it is not made anew for each look at the page."""
NOT_REACHED: Final = (
    *(Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED),
    *(Outcome.REFUSED, Outcome.UNKNOWN),
)
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def add_today(console: Blueprint, context: ConsoleContext) -> None:
    async def weeks_of(campaign: str | None) -> dict[str, Any]:
        since = context.midnight() - timedelta(weeks=WEEKS)
        return weekly_heatmap((await context.reads.analytics(campaign, since, None))["weekday_hours"])

    @console.get("/")
    async def today() -> str:
        campaign = request.args.get("campaign") or None
        midnight, reads = context.midnight(), context.reads
        figures = await reads.analytics(campaign, midnight, midnight + timedelta(days=1))
        refused = await reads.refused_sms(context.clock.now())
        return await render_page(
            "today.html",
            here="/",
            campaign=campaign,
            campaigns=await reads.campaigns(),
            figures=figures,
            callbacks=callback_counts(figures),
            abroad=foreign_dropped(figures),
            peak=busiest_hour(figures["peak_hours"]),
            hours=hour_bars(figures["peak_hours"]),
            heat=await context.query_cache.get(
                ("heat", campaign), partial(weeks_of, campaign), at_least_s=HEATMAP_TTL_S
            ),
            weeks=WEEKS,
            paused=await reads.pauses(context.clock.now()),
            quarantine=await reads.quarantine(),
            attention=await reads.attention_counts(),
            troubles=[{**asdict(trouble), "since": to_iso(trouble.since)} for trouble in context.troubles()],
            refused_sms=[{**each, "words": describe_code(each["code"] or "")} for each in refused],
            absent_agents=await reads.absent_agents(),
            told_early=await reads.early_webhook_counts(context.clock.now()),
            told_early_advice=EARLY_WEBHOOK_ADVICE,
            calls=await reads.latest_calls(SHOWN_CALLS),
        )


def callback_counts(figures: Mapping[str, Any]) -> dict[str, int]:
    """Today's callbacks by what a person asks of them; those never made have their own reasons, and those
    that an agent missed are counted by themselves.
    """
    counts = {"pending": 0, "answered": 0, "failed": 0, "not_made": 0}
    for each in figures["actions"]:
        if each["kind"] != Kind.CALLBACK:
            continue
        if each["state"] != State.DONE:
            counts["pending"] += each["count"]
        elif each["outcome"] == Outcome.ANSWERED:
            counts["answered"] += each["count"]
        elif each["outcome"] in NOT_REACHED:
            counts["failed"] += each["count"]
        else:
            counts["not_made"] += each["count"]
    counts["failed"] -= figures["agent_misses"]
    return counts


def foreign_dropped(figures: Mapping[str, Any]) -> int:
    """Today's callbacks and SMS that were dropped for the country of the number."""
    dropped = (*figures["callback_outcomes"], *figures["sms_by_reason"])
    return sum(each["count"] for each in dropped if each["reason"] == Reason.FOREIGN_NUMBER)


def hour_bars(hours: list[Mapping[str, int]]) -> list[dict[str, Any]]:
    """The calls of each hour with their height, 1 for the most."""
    most = max((each["calls"] for each in hours), default=0) or 1
    return [{**each, "share": each["calls"] / most} for each in hours]


def weekly_heatmap(weekday_hours: list[Mapping[str, int]]) -> dict[str, Any]:
    """The week's cells, each with its share of the busiest, and which that is."""
    most = max((each["calls"] for each in weekday_hours), default=0)
    busiest = next((each for each in weekday_hours if most and each["calls"] == most), None)
    return {
        "days": DAYS,
        "cells": [{**each, "share": each["calls"] / (most or 1)} for each in weekday_hours],
        "busiest": None if busiest is None else f"{DAYS[busiest['weekday']]} {busiest['hour']:02d}:00",
        "most": most,
    }
