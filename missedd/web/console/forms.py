"""Forms: what they may say, and what their sender is told on the next page.

A form is answered with a redirect, so that reloading sends nothing twice; the word about what came
of it waits in the session for the page that is shown next.
"""

from __future__ import annotations

from typing import Final

from quart import Blueprint, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.phone import normalise, parse_prefix
from missedd.web.auth.access import local_path
from missedd.web.shared.json_body import MAX_LINE_CHARS

REFRESH_HEADER: Final = "Missedd-Refresh"
"""Of a page that is fetched to be looked at by the script: it must not use up what a person is to read."""


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


def line_field(text: str, what: str, *, required: bool = True) -> str:
    """A text of one line. Raises `FormError`."""
    text = text.strip()
    if required and not text:
        raise FormError(f"Please say {what}.")
    if len(text) > MAX_LINE_CHARS or (text and not text.isprintable()):
        raise FormError(f"That is no line of at most {MAX_LINE_CHARS} characters: {what}.")
    return text


def number_field(text: str, *, or_prefix: bool = False) -> str:
    """A phone number, in any spelling, as E.164; where it may be one, a prefix such as `+232*`.

    Raises `FormError`.
    """
    number = (parse_prefix(text) if or_prefix else None) or normalise(text)
    if number is None:
        raise FormError(f"{text!r} is not a phone number that can be rung; try +919876543210.")
    return number
