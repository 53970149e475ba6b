"""Forms: reading their fields, and the notice that the next page shows.

The answer to a form is a redirect, so that reloading the page does not send the form again. The notice, such
as "Campaign sales is paused.", waits in the session until the next page shows it.
"""

from __future__ import annotations

from typing import Final

from quart import Blueprint, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.core.phone import normalise, parse_prefix
from missedd.web.auth.access import local_path
from missedd.web.shared.json_body import MAX_LINE_CHARS

REFRESH_HEADER: Final = "Missedd-Refresh"
"""The header of a page that `console.js` fetches. Such a page must not use up the notice for the person."""


class FormError(Exception):
    """A field of a form is not valid. The text is shown to the person who sent the form."""


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
    """Redirect to the page of the form; that page then shows `message`."""
    if g.session is not None:
        g.session.notice = (message, is_problem)
    return redirect(local_path((await request.form).get("next")), 303)


def line_field(text: str, what: str, *, required: bool = True) -> str:
    """Read a text of one line. Raises `FormError`."""
    text = text.strip()
    if required and not text:
        raise FormError(f"Please say {what}.")
    if len(text) > MAX_LINE_CHARS or (text and not text.isprintable()):
        raise FormError(f"Please enter one line of at most {MAX_LINE_CHARS} characters: {what}.")
    return text


def number_field(text: str, *, or_prefix: bool = False) -> str:
    """Read a phone number in any format and return it as E.164. With `or_prefix` also a prefix: `+232*`.

    Raises `FormError`.
    """
    number = (parse_prefix(text) if or_prefix else None) or normalise(text)
    if number is None:
        raise FormError(f"{text!r} is not a phone number that can be called; try +919876543210.")
    return number
