"""The account's limits: so many requests in any sixty seconds, however they fall."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)


class SlidingWindowLimit:
    """Counts what was let through; a refused request does not make the next one wait longer."""

    def __init__(self) -> None:
        self._allowed_at: deque[datetime] = deque()

    def allow(self, at: datetime, limit: int) -> bool:
        """Whether a request at that instant may pass; if so, it counts from now on."""
        while self._allowed_at and self._allowed_at[0] <= at - WINDOW:
            self._allowed_at.popleft()
        if len(self._allowed_at) >= limit:
            return False
        self._allowed_at.append(at)
        return True
