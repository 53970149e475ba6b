"""Login sessions. They are kept in memory, so a restart or a logout ends them.

A session is identified by a random token in a cookie; only the digest of the token is kept. A session ends
after one hour without a request, and at the latest twelve hours after the login.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

import trio

IDLE_S: Final = 60 * 60.0
MAX_AGE_S: Final = 12 * 60 * 60.0
MAX_SESSIONS: Final = 100
"""Sessions at one time. A further login ends the session that has been idle longest."""


@dataclass(slots=True)
class Session:
    csrf: str
    began_s: float
    used_s: float
    notice: tuple[str, bool] | None = None
    """The text that the next page shows, and whether the text reports a problem."""

    def has_expired(self, now_s: float) -> bool:
        return now_s >= min(self.used_s + IDLE_S, self.began_s + MAX_AGE_S)

    def allows(self, csrf: str | None) -> bool:
        """Whether a request with this CSRF token comes from a page of this session."""
        return csrf is not None and is_same_secret(csrf, self.csrf)


@dataclass(slots=True)
class Sessions:
    now_s: Callable[[], float] = trio.current_time
    _sessions: dict[bytes, Session] = field(default_factory=dict)

    def begin(self) -> str:
        """Begin a session and return its token; the token itself is not kept."""
        now_s, token = self.now_s(), token_urlsafe(32)
        self._drop_expired(now_s)
        if len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each].used_s)]
        self._sessions[_digest(token)] = Session(token_urlsafe(32), now_s, now_s)
        return token

    def find(self, token: str | None) -> Session | None:
        """The session of a token, or None if there is none or it has expired. The call counts as its use."""
        session = self._sessions.get(_digest(token)) if token else None
        if session is None or session.has_expired(self.now_s()):
            return None
        session.used_s = self.now_s()
        return session

    def end(self, token: str | None) -> None:
        if token:
            self._sessions.pop(_digest(token), None)

    def _drop_expired(self, now_s: float) -> None:
        for token in [each for each, session in self._sessions.items() if session.has_expired(now_s)]:
            del self._sessions[token]


def is_same_secret(one: str, other: str) -> bool:
    """Compare two secrets. The time of the comparison does not depend on where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
