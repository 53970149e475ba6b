"""The account's limits: so many requests in any sixty seconds, however they fall."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)


class SlidingLimit:
    """Counts what was let through; a refused request does not make the next one wait longer."""

    def __init__(self) -> None:
        self._taken: deque[datetime] = deque()

    def takes(self, at: datetime, most: int) -> bool:
        """Whether a request at that instant may pass; if so, it counts from now on."""
        while self._taken and self._taken[0] <= at - WINDOW:
            self._taken.popleft()
        if len(self._taken) >= most:
            return False
        self._taken.append(at)
        return True
