"""Login and logout of the console.

A password is hashed in a thread, one at a time, and at most `MAX_WAITING` attempts wait, so guessing
passwords cannot overload the daemon. The login form is bound to the browser by a cookie, so that a page of
another site cannot log a person in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Final

import trio
from quart import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.security.login_throttle import LoginThrottle
from missedd.security.password import PasswordHash
from missedd.web.auth.access import CSRF_FIELD, SESSION_COOKIE, AccessControl, local_path
from missedd.web.auth.sessions import MAX_AGE_S, is_same_secret

FORM_COOKIE: Final = "missedd_form"
MAX_PASSWORD_CHARS: Final = 1_000
MAX_WAITING: Final = 4
"""Login attempts that may wait for their comparison; further attempts get a 429."""

type OnLogin = Callable[[bool, str], None]
"""Called for each password that was compared: whether it was right, and the address of the client."""


def build_login(access: AccessControl, on_login: OnLogin) -> Blueprint:
    login = Blueprint("login", __name__)
    attempts = LoginThrottle()
    comparing = trio.CapacityLimiter(1)

    @login.get("/login")
    async def show() -> Response:
        return await _login_page(local_path(request.args.get("next")))

    @login.post("/login")
    async def enter() -> BaseResponse | Response:
        form = await request.form
        wanted = local_path(form.get("next"))
        password = access.policy.password
        if password is None:
            return await _login_page(wanted, status=403)
        bound = request.cookies.get(FORM_COOKIE)
        if not bound or not is_same_secret(form.get(CSRF_FIELD, ""), bound):
            return await _login_page(wanted, "The form was too old; please try again.", 403)
        peer = request.remote_addr or "?"
        wait_s = attempts.retry_after_s(peer, trio.current_time())
        if wait_s == 0 and comparing.statistics().tasks_waiting >= MAX_WAITING:
            wait_s = 1.0
        if wait_s > 0:
            return await _try_later(wanted, math.ceil(wait_s))
        attempts.record_attempt(peer, trio.current_time())
        is_right = await _is_password_right(password, form.get("password", ""), comparing)
        on_login(is_right, peer)
        if not is_right:
            return await _login_page(wanted, "That is not the password.", 403)
        attempts.record_success(peer)
        access.sessions.end(request.cookies.get(SESSION_COOKIE))
        response = redirect(wanted, 303)
        _set_cookie(response, SESSION_COOKIE, access.sessions.begin(), MAX_AGE_S)
        response.delete_cookie(FORM_COOKIE, path="/login")
        return response

    @login.post("/logout")
    async def leave() -> BaseResponse:
        access.sessions.end(request.cookies.get(SESSION_COOKIE))
        response = redirect("/", 303)
        response.delete_cookie(SESSION_COOKIE)
        return response

    return login


async def _is_password_right(password: PasswordHash, typed: str, comparing: trio.CapacityLimiter) -> bool:
    if len(typed) > MAX_PASSWORD_CHARS:
        return False
    return await trio.to_thread.run_sync(password.matches, typed, limiter=comparing)


async def _login_page(wanted: str, problem: str | None = None, status: int = 200) -> Response:
    bound = token_urlsafe(32)
    page = await render_template("login.html", wanted=wanted, problem=problem, bound=bound)
    response = Response(page, status)
    _set_cookie(response, FORM_COOKIE, bound, None, "/login")
    return response


async def _try_later(wanted: str, wait_s: int) -> Response:
    seconds = f"{wait_s} second{'s' if wait_s > 1 else ''}"
    response = await _login_page(wanted, f"Too many wrong passwords; try again in {seconds}.", 429)
    response.headers["Retry-After"] = str(wait_s)
    return response


def _set_cookie(
    response: BaseResponse | Response, name: str, value: str, lasts_s: float | None, path: str = "/"
) -> None:
    # We trust a proxy that reports https: the flag can only make the cookie safer.
    is_https = request.headers.get("X-Forwarded-Proto") == "https"
    max_age = None if lasts_s is None else int(lasts_s)
    response.set_cookie(
        name, value, max_age=max_age, path=path, secure=is_https, httponly=True, samesite="Strict"
    )
