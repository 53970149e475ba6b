"""The query parameters of each page. A page answers 400 for a parameter that it does not know."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, request

from missedd.web.shared.problems import Problem

_LIST: Final = ("cursor",)
PAGE_PARAMETERS: Final = {
    "/": ("campaign",),
    "/leads": ("campaign", "status", "number", *_LIST),
    "/subscriptions": ("list", "state", "number", *_LIST),
    "/suppressions": ("number", *_LIST),
    "/deliveries": ("campaign", "number", *_LIST),
    "/unknown": ("campaign", "number", *_LIST),
    "/audit": ("subject", *_LIST),
    "/find": ("q",),
}


def add_parameter_check(console: Blueprint) -> None:
    @console.before_request
    async def reject_unknown_parameters() -> None:
        if request.method not in ("GET", "HEAD") or str(request.url_rule).startswith("/static/"):
            return
        taken = PAGE_PARAMETERS.get(str(request.url_rule), ())
        others = [name for name in request.args if name not in taken]
        if others:
            accepted = f"it accepts {', '.join(taken)}" if taken else "it accepts none"
            raise Problem(400, f"This page has no parameter {others[0][:40]!r}; {accepted}.")
