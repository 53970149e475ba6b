"""Access rules of the private site, for every request, in one place.

| | no password set | a password set |
|---|---|---|
| reading the console | everybody who can reach it | the same; on a public address only after login |
| changes in the console | nobody | only after login, by a form of that session |
| changes in the API | everybody who can reach it | the same on loopback; else with token or session |

If an API token is set, every change in the API needs the token or a session.

A page of another site may run in the browser of an operator. Its changes are refused because of the headers
`Origin` and `Sec-Fetch-Site`. Where reading needs no password, its reads are refused because of the host name
that it uses (`Host`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from quart import g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from missedd.security.host_names import authority_host, origin_host
from missedd.security.password import PasswordHash
from missedd.web.auth.allowed_hosts import AllowedHosts
from missedd.web.auth.sessions import Session, Sessions, is_same_secret
from missedd.web.shared.problems import Problem

SESSION_COOKIE: Final = "missedd_session"
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
_SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_MACHINE_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_OPEN_PATHS: Final = _MACHINE_PATHS | {"/login"}

HOW_TO_CHANGE: Final = (
    "You can change nothing here, because no password is set. Make the hash of a password with `missedd "
    "password`, set the hash as MISSEDD_CONSOLE_PASSWORD_HASH, and restart the daemon."
)


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The secrets that give access, and the kind of address on which the site listens."""

    password: PasswordHash | None = None
    api_token: str | None = None
    is_loopback: bool = True
    is_public: bool = False
    hosts: AllowedHosts = field(default_factory=AllowedHosts)

    @property
    def guards_api_changes(self) -> bool:
        return self.api_token is not None or (self.password is not None and not self.is_loopback)


class AccessControl:
    def __init__(self, policy: AccessPolicy, sessions: Sessions) -> None:
        self.policy = policy
        self.sessions = sessions

    async def check_request(self) -> BaseResponse | None:
        """Check a request: None allows it, a response redirects to the login. Raises `Problem`."""
        is_change = request.method not in _SAFE_METHODS
        if not self.policy.is_public and request.path not in _MACHINE_PATHS:
            self._check_host()
        if is_change:
            self._check_origin()
        if is_change and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            raise Problem(403, "a page of another site may not change anything here")
        session = g.session = self.sessions.find(request.cookies.get(SESSION_COOKIE))
        if request.path in _OPEN_PATHS or request.path.startswith("/static/"):
            return None
        if request.path.startswith("/api/"):
            self._check_api_access(session, is_change)
            return None
        if is_change:
            return await self._check_form(session)
        if self.policy.is_public and session is None and not self._has_token():
            return redirect(f"/login?next={quote(_current_url(), safe='')}")
        return None

    def _check_host(self) -> None:
        authority = request.headers.get("Host")
        if not authority and request.http_version < "1.1":
            authority = None  # the client sent none: Quart sets an empty one
        reached = request.scope.get("server") or (None, None)
        if not self.policy.hosts.allows(authority, reached[0]):
            raise Problem(421, _unknown_host_text(authority or "", self.policy.hosts))

    def _check_origin(self) -> None:
        """Refuse a change by a page of another origin. Only browsers send `Origin`; programs do not."""
        authority = request.headers.get("Host")
        for origin in request.headers.getlist("Origin"):
            if not self.policy.hosts.is_own_page(origin, authority):
                host = origin_host(origin)
                advice = "" if host is None else "; " + _allow_host_advice(host, self.policy.hosts)
                raise Problem(403, f"a page of {origin!r} may not change anything here{advice}")

    def _check_api_access(self, session: Session | None, is_change: bool) -> None:
        if self._has_token():
            g.session = None
            return
        if not (self.policy.is_public or (is_change and self.policy.guards_api_changes)):
            return
        if session is None:
            raise Problem(401, "needs `Authorization: Bearer` with MISSEDD_API_TOKEN, or a login at /login")
        if is_change and not session.allows(request.headers.get(CSRF_HEADER)):
            raise Problem(403, f"a change with a session needs the header {CSRF_HEADER}")

    async def _check_form(self, session: Session | None) -> BaseResponse | None:
        if self.policy.password is None:
            raise Problem(403, HOW_TO_CHANGE)
        if session is None:
            # The typed fields are lost, so the person returns to the page of the form after the login.
            return redirect("/login?next=" + quote(local_path(request.headers.get("Referer")), safe=""), 303)
        if not session.allows((await request.form).get(CSRF_FIELD)):
            raise Problem(
                403, "this form belongs to another login; go back, reload the page, and send the form again"
            )
        return None

    def _has_token(self) -> bool:
        """Whether the request has the API token. Raises `Problem` for a wrong token."""
        kind, _, shown = request.headers.get("Authorization", "").partition(" ")
        if self.policy.api_token is None or kind.lower() != "bearer":
            return False
        if not is_same_secret(shown.strip(), self.policy.api_token):
            raise Problem(401, "this is not the API token")
        return True


def _unknown_host_text(authority: str, hosts: AllowedHosts) -> str:
    host = authority_host(authority)
    if host is None:
        return "the Host header is no host name"
    return (
        f"missedd does not answer to the name {host}, because a page of another site could use it; "
        + _allow_host_advice(host, hosts)
    )


def _allow_host_advice(host: str, hosts: AllowedHosts) -> str:
    beside = ", next to the names that are there" if hosts.configured else ""
    return (
        f"if the name is yours, add this under [listen]{beside}, and restart the daemon:\n\n"
        f'    private_hosts = ["{host}"]\n'
    )


def local_path(text: str | None) -> str:
    """The path and query of a URL of this site; `/` for a URL that could lead to another site."""
    if not text:
        return "/"
    own = request.host_url.rstrip("/")
    path = text.removeprefix(own) if text.startswith(own) else text
    # Browsers read a backslash as a slash, and ignore characters that are not printable.
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_local and path.isprintable() and " " not in path else "/"


def _current_url() -> str:
    query = request.query_string.decode("latin-1")
    return f"{request.path}?{query}" if query else request.path
