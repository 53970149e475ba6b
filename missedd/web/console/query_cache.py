"""What is shown to everybody who looks, again and again, is not found out anew each time.

What took long is asked for again only after ten times as long: a page that is refreshed every two
seconds by ten people may keep the database's reader busy for a tenth of the time, not all of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import trio

TTL_FACTOR: Final = 10
MAX_ENTRIES: Final = 100
"""Different things; what was asked for first is forgotten first."""


@dataclass(slots=True)
class _CachedResult:
    lock: trio.Lock = field(default_factory=trio.Lock)
    fresh_until_s: float = -1.0
    value: Any = None


@dataclass(slots=True)
class QueryCache:
    _results: dict[Hashable, _CachedResult] = field(default_factory=dict)

    async def get[T](self, key: Hashable, query: Callable[[], Awaitable[T]], *, at_least_s: float = 0.0) -> T:
        """What `query` gives, or gave a moment ago; it serves for `at_least_s`."""
        answer = self._results.setdefault(key, _CachedResult())
        if len(self._results) > MAX_ENTRIES:
            del self._results[next(iter(self._results))]
        async with answer.lock:  # whoever comes meanwhile shares the answer
            if trio.current_time() >= answer.fresh_until_s:
                began_s = trio.current_time()
                answer.value = await query()
                took_s = trio.current_time() - began_s
                answer.fresh_until_s = trio.current_time() + max(at_least_s, TTL_FACTOR * took_s)
            value: T = answer.value
            return value
