"""What each page takes behind its `?`: whoever writes another word there is told so."""

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
    async def refuse_what_is_not_known() -> None:
        if request.method not in ("GET", "HEAD") or str(request.url_rule).startswith("/static/"):
            return
        taken = PAGE_PARAMETERS.get(str(request.url_rule), ())
        others = [name for name in request.args if name not in taken]
        if others:
            knows = f"it knows {', '.join(taken)}" if taken else "it knows none"
            raise Problem(400, f"This page knows nothing of {others[0][:40]!r} in its address; {knows}.")
