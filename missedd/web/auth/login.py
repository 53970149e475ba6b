"""Logging in to the console, and out again.

The password's hash is computed in a thread, one at a time, and few wait for it: guessing costs this
daemon no more than that. The form itself is bound to the browser by a cookie of its own, so that
nobody can be logged in by a page of somebody else's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Final

import trio
from quart import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.security.login_throttle import Attempts
from missedd.security.password import PasswordHash
from missedd.web.auth.access import COOKIE, CSRF_FIELD, Access, local_path
from missedd.web.auth.sessions import LONGEST_S, same

FORM_COOKIE: Final = "missedd_form"
LONGEST_PASSWORD: Final = 1_000
WAITING: Final = 4
"""Passwords that may wait to be compared; who comes then is asked to come again."""

type OnLogin = Callable[[bool, str], None]
"""Told of each password that was compared: whether it was right, and from which address it came."""


def build_login(access: Access, on_login: OnLogin) -> Blueprint:
    login = Blueprint("login", __name__)
    attempts = Attempts()
    comparing = trio.CapacityLimiter(1)

    @login.get("/login")
    async def show() -> Response:
        return await _form(local_path(request.args.get("next")))

    @login.post("/login")
    async def enter() -> BaseResponse | Response:
        form = await request.form
        wanted = local_path(form.get("next"))
        password = access.keys.password
        if password is None:
            return await _form(wanted, status=403)
        bound = request.cookies.get(FORM_COOKIE)
        if not bound or not same(form.get(CSRF_FIELD, ""), bound):
            return await _form(wanted, "The form had grown old; please try again.", 403)
        peer = request.remote_addr or "?"
        wait_s = attempts.wait_s(peer, trio.current_time())
        if wait_s == 0 and comparing.statistics().tasks_waiting >= WAITING:
            wait_s = 1.0
        if wait_s > 0:
            return await _try_later(wanted, math.ceil(wait_s))
        attempts.begin(peer, trio.current_time())
        is_right = await _is_right(password, form.get("password", ""), comparing)
        on_login(is_right, peer)
        if not is_right:
            return await _form(wanted, "That is not the password.", 403)
        attempts.succeed(peer)
        access.sessions.end(request.cookies.get(COOKIE))
        response = redirect(wanted, 303)
        _set(response, COOKIE, access.sessions.begin(), LONGEST_S)
        response.delete_cookie(FORM_COOKIE, path="/login")
        return response

    @login.post("/logout")
    async def leave() -> BaseResponse:
        access.sessions.end(request.cookies.get(COOKIE))
        response = redirect("/", 303)
        response.delete_cookie(COOKIE)
        return response

    return login


async def _is_right(password: PasswordHash, typed: str, comparing: trio.CapacityLimiter) -> bool:
    if len(typed) > LONGEST_PASSWORD:
        return False
    return await trio.to_thread.run_sync(password.matches, typed, limiter=comparing)


async def _form(wanted: str, problem: str | None = None, status: int = 200) -> Response:
    bound = token_urlsafe(32)
    page = await render_template("login.html", wanted=wanted, problem=problem, bound=bound)
    response = Response(page, status)
    _set(response, FORM_COOKIE, bound, None, "/login")
    return response


async def _try_later(wanted: str, wait_s: int) -> Response:
    seconds = f"{wait_s} second{'s' if wait_s > 1 else ''}"
    response = await _form(wanted, f"Too many wrong passwords; try again in {seconds}.", 429)
    response.headers["Retry-After"] = str(wait_s)
    return response


def _set(
    response: BaseResponse | Response, name: str, value: str, lasts_s: float | None, path: str = "/"
) -> None:
    # A proxy that says it had https is believed: it can only make the cookie safer.
    is_https = request.headers.get("X-Forwarded-Proto") == "https"
    max_age = None if lasts_s is None else int(lasts_s)
    response.set_cookie(
        name, value, max_age=max_age, path=path, secure=is_https, httponly=True, samesite="Strict"
    )
