"""The console: HTML pages for people, rendered on the server.

A page loads nothing from other hosts: no fonts and no libraries. The Content-Security-Policy header enforces
this. Every page works without JavaScript. With `console.js` the live part of a page is fetched again and
updated in place. Each change is a form that needs a session; the answer to a form is a redirect.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from quart import Blueprint, Response

from missedd.web.console.attention import add_attention
from missedd.web.console.audit import add_audit
from missedd.web.console.calls import add_calls
from missedd.web.console.campaigns import add_campaigns
from missedd.web.console.context import ConsoleContext
from missedd.web.console.forms import add_notices
from missedd.web.console.lists import add_lists
from missedd.web.console.nodes import add_nodes
from missedd.web.console.numbers import add_numbers
from missedd.web.console.operator_forms import add_operator_forms
from missedd.web.console.polls import add_polls
from missedd.web.console.query_parameters import add_parameter_check
from missedd.web.console.queue import add_queue
from missedd.web.console.template_filters import add_filters
from missedd.web.console.today import add_today
from missedd.web.shared.problems import Problem

__all__ = ["ConsoleContext", "build_console"]

_STATIC: Final = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def build_console(context: ConsoleContext) -> Blueprint:
    """Build the routes of the console. Pages show times in the policy's time zone."""
    console = Blueprint("console", __name__)
    add_filters(console, context)
    add_notices(console)
    add_parameter_check(console)
    for add in (
        *(add_today, add_queue, add_calls, add_numbers, add_campaigns, add_polls),
        *(add_lists, add_attention, add_audit, add_nodes, add_operator_forms),
    ):
        add(console, context)
    # The files have a few kilobytes. We keep them in memory: no disk access, no thread.
    static = {name: files("missedd.web").joinpath("static", name).read_bytes() for name in _STATIC}

    @console.get("/static/<name>")
    async def shipped(name: str) -> Response:
        if name not in static:
            raise Problem(404, "There is nothing here.")
        response = Response(static[name], content_type=_STATIC[name])
        response.cache_control.max_age = 300
        return response

    return console
