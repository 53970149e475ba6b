"""Who is logged in: sessions in memory, so that a restart, or a logout, ends them for good.

A session is known by a random token in a cookie; only the token's digest is kept. It ends when it
has been idle for an hour, and half a day after it began whatever goes on.
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
"""At one time; the one that has been idle longest makes room."""


@dataclass(slots=True)
class Session:
    csrf: str
    began_s: float
    used_s: float
    notice: tuple[str, bool] | None = None
    """What the next page is to say, and whether that is a problem."""

    def has_expired(self, now_s: float) -> bool:
        return now_s >= min(self.used_s + IDLE_S, self.began_s + MAX_AGE_S)

    def allows(self, csrf: str | None) -> bool:
        """Whether a form, or a script's request, is from a page of this session."""
        return csrf is not None and is_same_secret(csrf, self.csrf)


@dataclass(slots=True)
class Sessions:
    now_s: Callable[[], float] = trio.current_time
    _sessions: dict[bytes, Session] = field(default_factory=dict)

    def begin(self) -> str:
        """A new session; returns its token, which is nowhere else."""
        now_s, token = self.now_s(), token_urlsafe(32)
        self._drop_expired(now_s)
        if len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each].used_s)]
        self._sessions[_digest(token)] = Session(token_urlsafe(32), now_s, now_s)
        return token

    def find(self, token: str | None) -> Session | None:
        """The session of a token, used by this, or None if there is none or it is over."""
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
    """Whether two secrets are the same, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
