"""The page of one call, and the search for a call by CallSid or for a caller by number."""

from __future__ import annotations

from quart import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.explain.remedies import remedies
from missedd.core.explain.timeline import build_timeline
from missedd.core.phone import normalise
from missedd.exotel.sms_status_codes import describe_code
from missedd.store.reads import reader
from missedd.web.console.context import ConsoleContext
from missedd.web.console.render import render_page
from missedd.web.shared.problems import Problem


def add_calls(console: Blueprint, context: ConsoleContext) -> None:
    @console.get("/calls/<call_sid>")
    async def call(call_sid: str) -> str:
        story = await context.read(reader.call_trace, call_sid)
        if story is None:
            raise Problem(404, "No call has this CallSid.")
        moments = build_timeline(story, describe_code)
        return await render_page(
            "story.html",
            call=story,
            past=[each for each in moments if not each.is_future],
            ahead=[each for each in moments if each.is_future],
            to_do=remedies(story, context.policy),
        )

    @console.get("/find")
    async def find() -> BaseResponse:
        wanted = request.args.get("q", "").strip()
        if wanted and await context.read(reader.call_trace, wanted) is not None:
            return redirect(url_for("console.call", call_sid=wanted))
        # In a query string a plain `+` becomes a space; `normalise` accepts both.
        spelt = normalise(wanted)
        if spelt is not None:
            return redirect(url_for("console.number", number=spelt))
        raise Problem(404, "This is neither a CallSid that came in nor a phone number.")
