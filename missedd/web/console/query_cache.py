"""What is shown to everybody who looks, again and again, is not found out anew each time.

What took long is asked for again only after ten times as long: a page that is refreshed every two
seconds by ten people may keep the database's reader busy for a tenth of the time, not all of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import trio

TIMES: Final = 10
MOST: Final = 100
"""Different things; what was asked for first is forgotten first."""


@dataclass(slots=True)
class _Answer:
    asking: trio.Lock = field(default_factory=trio.Lock)
    good_until_s: float = -1.0
    value: Any = None


@dataclass(slots=True)
class Remembered:
    _answers: dict[Hashable, _Answer] = field(default_factory=dict)

    async def get[T](self, key: Hashable, ask: Callable[[], Awaitable[T]], *, at_least_s: float = 0.0) -> T:
        """What `ask` gives, or gave a moment ago; it serves for `at_least_s`."""
        answer = self._answers.setdefault(key, _Answer())
        if len(self._answers) > MOST:
            del self._answers[next(iter(self._answers))]
        async with answer.asking:  # whoever comes meanwhile shares the answer
            if trio.current_time() >= answer.good_until_s:
                began_s = trio.current_time()
                answer.value = await ask()
                took_s = trio.current_time() - began_s
                answer.good_until_s = trio.current_time() + max(at_least_s, TIMES * took_s)
            value: T = answer.value
            return value
