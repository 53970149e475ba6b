"""Template filters: how pages show times, durations, numbers and fractions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from markupsafe import Markup, escape
from quart import Blueprint

from missedd.core.actions.details import displayed_details
from missedd.core.api_types.actions import BriefActionJson
from missedd.core.explain.number import describe_suppression
from missedd.core.explain.timeline import tone_of
from missedd.core.model import Outcome
from missedd.web.console.context import ConsoleContext

NAVIGATION: Final = (
    ("/", "Today"),
    ("/queue", "Queue"),
    ("/campaigns", "Campaigns"),
    ("/polls", "Polls"),
    ("/leads", "Leads"),
    ("/subscriptions", "Lists"),
    ("/suppressions", "Suppressed"),
    ("/deliveries", "Deliveries"),
    ("/unknown", "Unknown"),
    ("/audit", "Audit"),
    ("/nodes", "Nodes"),
)
_INSTANT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def add_filters(console: Blueprint, context: ConsoleContext) -> None:
    @console.app_context_processor
    def everywhere() -> dict[str, object]:
        return {"navigation": NAVIGATION, "timezone": context.policy.timezone, "now": context.local_now()}

    @console.app_template_filter("clock")
    def clock(iso: str | None) -> str:
        """The time of day: `14:30:00` today, `22 Nov 14:30:00` on another day."""
        if iso is None:
            return ""
        at = context.to_local(iso)
        day = "" if at.date() == context.local_now().date() else f"{at.day} {at:%b} "
        return f"{day}{at:%H:%M:%S}"

    @console.app_template_filter("moment")
    def moment(iso: str | None) -> str:
        return "" if iso is None else f"{context.to_local(iso):%d %b %Y %H:%M:%S}"

    @console.app_template_filter("detail")
    def detail(value: object) -> object:
        """A value of an audit record. An instant is shown in local time."""
        is_instant = isinstance(value, str) and re.fullmatch(_INSTANT, value)
        return moment(str(value)) if is_instant else value

    console.add_app_template_filter(lambda action: tuple(displayed_details(action)), "told")
    console.add_app_template_filter(describe_suppression, "barred")
    console.add_app_template_filter(coded)
    console.add_app_template_filter(lambda text: text[:1].upper() + text[1:], "capitalise")
    console.add_app_template_filter(percent)
    console.add_app_template_filter(count)
    console.add_app_template_filter(lasting)
    console.add_app_template_filter(spaced)

    @console.app_template_filter("tone")
    def tone(action: BriefActionJson) -> str:
        return tone_of(action.state, action.settled_outcome or action.outcome)

    @console.app_template_filter("stand")
    def stand(action: BriefActionJson) -> str:
        """The outcome of an action in one word, or its state if it has none yet."""
        settled = action.settled_outcome
        if action.outcome == Outcome.UNKNOWN and settled:
            return f"{settled} (settled)"
        return action.outcome or action.state


def coded(text: str) -> Markup:
    """Put the parts of a text that stand between backticks into `<code>` elements."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{fraction * 100:.0f} %"


def count(number: int) -> str:
    return f"{number:,}"


def lasting(seconds: float | timedelta | None) -> str:
    """A duration in its two largest units: `45 s`, `2 min 5 s`, `30 min`, `3 h 20 min`."""
    if seconds is None:
        return "–"
    whole = round(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{whole // 60} min"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


def spaced(number: str | None) -> str:
    """A phone number for display: Indian numbers as `+91 98765 43210`, other numbers unchanged."""
    if number is None:
        return "withheld"
    return re.sub(r"^(\+91)(\d{5})(\d{5})$", "\\1\N{NO-BREAK SPACE}\\2\N{NO-BREAK SPACE}\\3", number)
