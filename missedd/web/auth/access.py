"""Who may do what on the private site: the rule for every request, in one place.

| | no password set | a password set |
|---|---|---|
| the console shows | to anybody who reaches it | the same; on a public address to who is logged in |
| the console changes | nothing | what who is logged in tells it to, by a form of that session |
| the API changes | what it is told to | the same on loopback, elsewhere what the token or a session allows |

Where an API token is set the API changes nothing without it, or a session. A page of another site,
open in the browser of somebody who may, is refused whatever it shows: by what the browser says of it when
it changes something, and by its name where reading needs no password.
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
    "This console changes nothing, as no password is set: let `missedd password` make the hash of one, set "
    "it as MISSEDD_CONSOLE_PASSWORD_HASH and restart the daemon."
)


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What opens the site, and where the site is."""

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
        """Before each request: None lets it through. Raises `Problem`."""
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
            authority = None  # none was sent: Quart puts an empty one
        reached = request.scope.get("server") or (None, None)
        if not self.policy.hosts.allows(authority, reached[0]):
            raise Problem(421, _unknown_host_text(authority or "", self.policy.hosts))

    def _check_origin(self) -> None:
        """A browser says with each change whose page sends it; a program says nothing."""
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
            raise Problem(403, f"a session's request has to say its {CSRF_HEADER}")

    async def _check_form(self, session: Session | None) -> BaseResponse | None:
        if self.policy.password is None:
            raise Problem(403, HOW_TO_CHANGE)
        if session is None:
            # What was typed is lost, so back to the page that it was typed on.
            return redirect("/login?next=" + quote(local_path(request.headers.get("Referer")), safe=""), 303)
        if not session.allows((await request.form).get(CSRF_FIELD)):
            raise Problem(403, "this form is not of this login; go back, reload the page, and send it again")
        return None

    def _has_token(self) -> bool:
        """Whether the request shows the API's token. Raises `Problem` for a wrong one."""
        kind, _, shown = request.headers.get("Authorization", "").partition(" ")
        if self.policy.api_token is None or kind.lower() != "bearer":
            return False
        if not is_same_secret(shown.strip(), self.policy.api_token):
            raise Problem(401, "this is not the API's token")
        return True


def _unknown_host_text(authority: str, hosts: AllowedHosts) -> str:
    host = authority_host(authority)
    if host is None:
        return "the Host header is no host name"
    return (
        f"this is not answered by the name {host}, as a page of somebody else's could come here by it; "
        + _allow_host_advice(host, hosts)
    )


def _allow_host_advice(host: str, hosts: AllowedHosts) -> str:
    beside = ", beside the names that stand there" if hosts.configured else ""
    return (
        f"if it is yours, add this under [listen]{beside}, and restart the daemon:\n\n"
        f'    private_hosts = ["{host}"]\n'
    )


def local_path(text: str | None) -> str:
    """The path and query of an address of ours; `/` for anything that could lead elsewhere."""
    if not text:
        return "/"
    own = request.host_url.rstrip("/")
    path = text.removeprefix(own) if text.startswith(own) else text
    # Browsers take a backslash for a slash, and leave out what is not printable.
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_local and path.isprintable() and " " not in path else "/"


def _current_url() -> str:
    query = request.query_string.decode("latin-1")
    return f"{request.path}?{query}" if query else request.path
