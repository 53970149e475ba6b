"""Clients of Exotel that others wrote, driven by lines of JSON: what to call in, what came of it out.

    {"client": "exotel", "made_with": {…}, "method": "sms", "given": {…}}
    {"returned": …, "printed": ""}    {"raised": "NotFound", "words": "…", "printed": ""}

It runs in the environment of the clients, which is not the project's. They are used as they come
from the package index: with the base URL that they take, or, where `https://` and the host are
written into them (pyexotel), with a transport of `requests` that leads to the simulator instead.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from typing import Any

requests: Any = importlib.import_module("requests")


class RedirectingAdapter(requests.adapters.HTTPAdapter):  # type: ignore[misc]  # requests is not the project's
    """Sends a request to the simulator, whatever host it names."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        request.url = self._base + request.path_url
        return super().send(request, *args, **options)


def redirect_requests(base: str) -> None:
    """Every session of `requests` from now on, those of its plain functions too."""
    session_class = requests.sessions.Session

    def session() -> Any:
        made = session_class()
        made.mount("https://", RedirectingAdapter(base))
        return made

    requests.sessions.Session = session


def answer_to(order: dict[str, Any]) -> dict[str, Any]:
    client = importlib.import_module(order["client"]).Exotel
    if "method" not in order:
        return {
            "returned": [
                name for name in vars(client) if not name.startswith("_") and callable(vars(client)[name])
            ]
        }
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            returned = getattr(client(**order["made_with"]), order["method"])(**order["given"])
            answer = {"returned": _plain(returned)}
        except Exception as raised:
            answer = {"raised": type(raised).__name__, "words": str(raised)}
    return answer | {"printed": printed.getvalue()}


def _plain(returned: Any) -> Any:
    """What was returned as JSON has it; of a whole HTTP answer its status and its body."""
    if isinstance(returned, requests.Response):
        return {"status": returned.status_code, "body": returned.json()}
    return returned


if __name__ == "__main__":
    redirect_requests(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer_to(json.loads(line))), flush=True)
