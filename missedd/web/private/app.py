"""The private site: console, API, health and metrics, for the operator's own network.

It is a Quart-Trio application without background work. It reads and changes everything through the protocols
in `missedd.web.shared.ports`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
import trio
from hypercorn.typing import ASGIReceiveCallable, HTTPScope
from quart import Quart, Response, g, render_template, request
from quart.json.provider import DefaultJSONProvider
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.exceptions import HTTPException

from missedd.base.clock import Clock
from missedd.core.analytics.figures import RollupsBehind
from missedd.core.model import Lane
from missedd.core.policy import Policy
from missedd.core.upstream.trouble import Trouble
from missedd.store.reads.reader import StoreReader
from missedd.web.api.routes import build_api
from missedd.web.auth.access import HOW_TO_CHANGE, AccessControl, AccessPolicy
from missedd.web.auth.login import OnLogin, build_login
from missedd.web.auth.sessions import Sessions
from missedd.web.console import ConsoleContext, build_console
from missedd.web.shared.ports import ClusterReader, Operations, PollFeed, Verifier
from missedd.web.shared.problems import Problem, problem_response
from missedd.web.shared.sse import CLIENT_GONE

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer" a browser would send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
}

MAX_BODY_BYTES = 256 * 1024
"""Large enough for the largest batch of conversions."""
BODY_TIMEOUT_S = 10

NO_AUTH = AccessPolicy()
"""Access without password or token, as on loopback."""


class DisconnectTolerantConnection(TrioASGIHTTPConnection):
    """A request that is not cancelled when its client disconnects; an event tells streams to end.

    The base class cancels the request from inside, and then the server never closes the connection.
    """

    def __init__(self, app: Quart, scope: HTTPScope) -> None:
        super().__init__(app, scope)
        self._client_gone = trio.Event()
        scope[CLIENT_GONE] = self._client_gone  # type: ignore[typeddict-unknown-key] # a key of our own

    async def handle_messages(  # type: ignore[override]
        self, nursery: trio.Nursery, request: object, receive: ASGIReceiveCallable
    ) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.request":
                await request.body.put(message.get("body", b""))  # type: ignore[attr-defined]
                if not message.get("more_body", False):
                    request.body.set_complete()  # type: ignore[attr-defined]
            elif message["type"] == "http.disconnect":
                request.body.disconnect()  # type: ignore[attr-defined]
                self._client_gone.set()
                return


class ApiJson(DefaultJSONProvider):
    """Objects of the API with their keys in order, and letters as they are."""

    sort_keys = False
    ensure_ascii = False

    def dumps(self, obj: Any, **options: Any) -> str:
        return super().dumps(msgspec.to_builtins(obj), **options)


class PrivateSite(QuartTrio):
    asgi_http_class = DisconnectTolerantConnection
    json_provider_class = ApiJson


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateDependencies:
    """Everything that the private site reads, changes and is told."""

    read: StoreReader
    operations: Operations
    verifier: Verifier
    poll_feed: PollFeed
    cluster: ClusterReader
    policy: Policy
    clock: Clock
    why_not_ready: Callable[[], str | None]
    """None while the daemon accepts calls."""
    metrics: Callable[[], Awaitable[str]]
    """The text for Prometheus."""
    on_failure: Callable[[str, Exception], None]
    """Called once for each unexpected error, with the path."""
    on_login: OnLogin = lambda is_right, peer: None
    access_policy: AccessPolicy = NO_AUTH
    requests_per_minute: Mapping[Lane, int] = field(default_factory=dict)
    """The rate limits of the account by lane."""
    troubles: Callable[[], Sequence[Trouble]] = tuple
    """The troubles that last now."""
    hold_reason: Callable[[Lane], str | None] = lambda lane: None
    """Why a lane sends nothing at the moment; None while it sends."""


def build_private(needs: PrivateDependencies) -> QuartTrio:
    """Build the application of the private site."""
    app = PrivateSite("missedd.web", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, BODY_TIMEOUT=BODY_TIMEOUT_S)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(
        build_api(
            needs.read,
            needs.operations,
            needs.verifier,
            needs.poll_feed,
            needs.cluster,
            needs.policy,
            needs.clock,
        )
    )
    console = ConsoleContext(
        needs.read,
        needs.operations,
        needs.policy,
        needs.clock,
        needs.cluster,
        needs.requests_per_minute,
        needs.troubles,
        needs.hold_reason,
    )
    app.register_blueprint(build_console(console))
    access = AccessControl(needs.access_policy, Sessions())
    app.register_blueprint(build_login(access, needs.on_login))
    app.before_request(access.check_request)
    _add_probes(app, needs)
    _add_page_frame(app, needs.access_policy)
    _add_error_responses(app, needs.on_failure)
    return app


def _add_probes(app: QuartTrio, needs: PrivateDependencies) -> None:
    @app.get("/healthz")
    async def healthz() -> Response:
        return _text_response("ok")

    @app.get("/readyz")
    async def readyz() -> Response:
        why = needs.why_not_ready()
        return _text_response("ready") if why is None else _text_response(why, 503)

    @app.get("/metrics")
    async def exposition() -> Response:
        text = await needs.metrics()
        return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _add_page_frame(app: QuartTrio, access_policy: AccessPolicy) -> None:
    @app.context_processor
    def session_and_access() -> dict[str, object]:
        """The session and the access policy, for the templates of all pages."""
        session = g.get("session")
        return {
            "csrf": None if session is None else session.csrf,
            "has_password": access_policy.password is not None,
            "how_to_change": HOW_TO_CHANGE,
        }

    @app.after_request
    async def secure(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def _add_error_responses(app: QuartTrio, on_failure: Callable[[str, Exception], None]) -> None:
    @app.errorhandler(Problem)
    async def show_problem(problem: Problem) -> Response:
        if request.path.startswith("/api/"):
            response = problem_response(problem)
            if problem.status == HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = "Bearer"
            return response
        if problem.status == HTTPStatus.MISDIRECTED_REQUEST:
            # Plain text: a line of it is meant to be copied, and the style sheet would be refused too.
            return _text_response(problem.detail, problem.status)
        page = await render_template(
            "problem.html", title=HTTPStatus(problem.status).phrase, detail=problem.detail
        )
        return Response(page, problem.status)

    @app.errorhandler(RollupsBehind)
    async def ask_again_later(why: RollupsBehind) -> Response:
        response = await show_problem(Problem(503, str(why)))
        response.headers["Retry-After"] = "60"
        return response

    @app.errorhandler(HTTPException)
    async def show_http_error(error: HTTPException) -> Response:
        response = await show_problem(Problem(error.code or 500, _http_error_text(error)))
        valid = getattr(error, "valid_methods", None)
        if valid:
            response.headers["Allow"] = ", ".join(sorted(valid))
        return response

    @app.errorhandler(Exception)
    async def show_failure(error: Exception) -> Response:
        on_failure(request.path, error)
        return await show_problem(Problem(500, "something went wrong here; the log tells more"))


def _http_error_text(error: HTTPException) -> str:
    match error.code:
        case 404:
            return "there is nothing at this path"
        case 405:
            return "this path does not take this method"
        case 413:
            return f"the body is larger than {MAX_BODY_BYTES} bytes"
    return error.description or "not understood"


def _text_response(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
