"""A cache of query results for pages that many people refresh.

A result is kept for ten times as long as its query took. Example: ten people look at a page that refreshes
every 2 s; its queries keep the database's reader busy for at most a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import trio

TTL_FACTOR: Final = 10
MAX_ENTRIES: Final = 100
"""The number of keys. The oldest key is dropped first."""


@dataclass(slots=True)
class _CachedResult:
    lock: trio.Lock = field(default_factory=trio.Lock)
    fresh_until_s: float = -1.0
    value: Any = None


@dataclass(slots=True)
class QueryCache:
    _results: dict[Hashable, _CachedResult] = field(default_factory=dict)

    async def get[T](self, key: Hashable, query: Callable[[], Awaitable[T]], *, at_least_s: float = 0.0) -> T:
        """The result of `query`, new or cached. A result is kept for `at_least_s` seconds or longer."""
        answer = self._results.setdefault(key, _CachedResult())
        if len(self._results) > MAX_ENTRIES:
            del self._results[next(iter(self._results))]
        async with answer.lock:  # requests that wait here share the result
            if trio.current_time() >= answer.fresh_until_s:
                began_s = trio.current_time()
                answer.value = await query()
                took_s = trio.current_time() - began_s
                answer.fresh_until_s = trio.current_time() + max(at_least_s, TTL_FACTOR * took_s)
            value: T = answer.value
            return value
