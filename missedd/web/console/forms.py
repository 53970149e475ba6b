"""Forms: what they may say, and what their sender is told on the next page.

A form is answered with a redirect, so that reloading sends nothing twice; the word about what came
of it waits in the session for the page that is shown next.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from quart import Blueprint, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.phone import normalise, parse_prefix
from missedd.web.auth.access import local_path
from missedd.web.shared.json_body import MAX_LINE_CHARS

REFRESH_HEADER: Final = "Missedd-Refresh"
"""Of a page that is fetched to be looked at by the script: it must not use up what a person is to read."""

PAUSE_DURATIONS: Final = {
    "30m": ("for 30 minutes", timedelta(minutes=30)),
    "1h": ("for an hour", timedelta(hours=1)),
    "2h": ("for two hours", timedelta(hours=2)),
    "4h": ("for four hours", timedelta(hours=4)),
    "8h": ("for eight hours", timedelta(hours=8)),
    "": ("until somebody resumes it", None),
}
SUPPRESSION_DURATIONS: Final = {
    "": ("for ever", None),
    "7d": ("for a week", timedelta(days=7)),
    "90d": ("for 90 days", timedelta(days=90)),
    "365d": ("for a year", timedelta(days=365)),
}

type Choices = dict[str, tuple[str, timedelta | None]]


class FormError(Exception):
    """What was typed cannot be meant; the text tells the person who typed it."""


def add_notices(console: Blueprint) -> None:
    @console.app_context_processor
    def notice() -> dict[str, object]:
        session = g.get("session")
        if session is None or request.headers.get(REFRESH_HEADER):
            return {"notice": None}
        told, session.notice = session.notice, None
        return {"notice": told}

    @console.errorhandler(FormError)
    async def back_to_the_form(mistake: FormError) -> BaseResponse:
        return await redirect_back(str(mistake), is_problem=True)


async def redirect_back(message: str, *, is_problem: bool = False) -> BaseResponse:
    """Back to the page that the form was on, where this will be read."""
    if g.session is not None:
        g.session.notice = (message, is_problem)
    return redirect(local_path((await request.form).get("next")), 303)


async def text_field(field: str, what: str, *, required: bool = True) -> str:
    """A text of one line. Raises `FormError`."""
    text = str((await request.form).get(field, "")).strip()
    if required and not text:
        raise FormError(f"Please say {what}.")
    if len(text) > MAX_LINE_CHARS or (text and not text.isprintable()):
        raise FormError(f"That is no line of at most {MAX_LINE_CHARS} characters: {what}.")
    return text


async def number_field(*, or_prefix: bool = False) -> str:
    """A phone number, in any spelling, as E.164; where it may be one, a prefix such as `+232*`.

    Raises `FormError`.
    """
    text = (await request.form).get("number", "")
    number = (parse_prefix(text) if or_prefix else None) or normalise(text)
    if number is None:
        raise FormError(f"{text!r} is not a phone number that can be rung; try +919876543210.")
    return number


async def end_field(choices: Choices, now: datetime) -> datetime | None:
    """The end that was chosen. Raises `FormError`."""
    chosen = (await request.form).get("lasts", "")
    if chosen not in choices:
        raise FormError("Please choose how long it is to last.")
    lasts = choices[chosen][1]
    return None if lasts is None else now + lasts
