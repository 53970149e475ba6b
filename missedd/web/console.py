"""The console: today at a glance, what is due, the latest calls, and the story behind each.

Rendered here, refreshed by a small script that fetches the same fragment again. Nothing comes
from outside: no fonts, no libraries, no addresses but our own, and the policy header says so.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

from quart import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from missedd.clock import Clock
from missedd.core.analytics import peak
from missedd.core.phone import normalise
from missedd.web.ports import Reads
from missedd.web.problems import Problem

LATEST: Final = 50
DUE: Final = 12

_STATIC: Final = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def build_console(reads: Reads, clock: Clock, timezone: str) -> Blueprint:
    """The routes of the console. Times are shown in `timezone`."""
    console = Blueprint("console", __name__)
    zone = ZoneInfo(timezone)
    # A handful of kilobytes: kept in memory, so that showing them touches no disk and no thread.
    static = {name: files("missedd.web").joinpath("static", name).read_bytes() for name in _STATIC}

    @console.app_template_filter("clock")
    def clock_time(iso: str | None) -> str:
        return "" if iso is None else _local(iso, zone).strftime("%H:%M:%S")

    @console.app_template_filter("moment")
    def moment(iso: str | None) -> str:
        return "" if iso is None else _local(iso, zone).strftime("%d %b %Y %H:%M:%S")

    @console.app_template_filter("day")
    def day(iso: str) -> str:
        """The date where it is not today's."""
        at = _local(iso, zone)
        return "" if at.date() == clock.now().astimezone(zone).date() else at.strftime("%d %b")

    @console.app_template_filter("percent")
    def percent(fraction: float | None) -> str:
        return "–" if fraction is None else f"{fraction * 100:.0f} %"

    async def glance() -> dict[str, Any]:
        now = clock.now()
        campaign = request.args.get("campaign") or None
        midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
        figures = await reads.figures(campaign, midnight, midnight + timedelta(days=1))
        return {
            "campaign": campaign,
            "campaigns": await reads.campaigns(),
            "figures": figures,
            "peak": peak(figures["peak_hours"]),
            "most": max((each["calls"] for each in figures["peak_hours"]), default=0) or 1,
            "due": await reads.due_next(DUE),
            "calls": await reads.latest_calls(LATEST),
            "now": now.astimezone(zone),
            "timezone": timezone,
        }

    @console.get("/")
    async def home() -> str:
        return await render_template("home.html", **await glance())

    @console.get("/glance")
    async def fragment() -> str:
        return await render_template("glance.html", **await glance())

    @console.get("/calls/<call_sid>")
    async def call(call_sid: str) -> str:
        story = await reads.call_story(call_sid)
        if story is None:
            raise Problem(404, "No call has this CallSid.")
        return await render_template("stories.html", title=call_sid, stories=[story])

    @console.get("/numbers/<number>")
    async def number(number: str) -> str:
        spelt = normalise(number)
        stories = await reads.story_of_number(spelt) if spelt else []
        if not stories:
            raise Problem(404, "No call has come from this number.")
        return await render_template("stories.html", title=spelt, stories=stories)

    @console.get("/find")
    async def find() -> BaseResponse | str:
        wanted = request.args.get("q", "").strip()
        if wanted and await reads.call_story(wanted) is not None:
            return redirect(url_for("console.call", call_sid=wanted))
        # The space is what a link's plain `+` becomes.
        spelt = normalise(wanted)
        if spelt is not None:
            return redirect(url_for("console.number", number=spelt))
        raise Problem(404, "This is neither a CallSid that came in nor a phone number.")

    @console.get("/static/<name>")
    async def shipped(name: str) -> Response:
        if name not in static:
            raise Problem(404, "There is nothing here.")
        response = Response(static[name], content_type=_STATIC[name])
        response.cache_control.max_age = 300
        return response

    return console


def _local(iso: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(iso).astimezone(zone)
