"""Terms that end because a write has failed: why, and when this node is a candidate again."""

from __future__ import annotations

from typing import Final

import trio

from missedd.engine.leadership.term import Lead, Term
from missedd.store.db.database import NotDurable, NotLeading

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 8.0
"""With it and a round of 2 s a node leads within 15 s after the database can be written to again."""
WELL_AFTER_S: Final = 60.0


class NotedFailure:
    """A `Lead` that notes by which failed write its term has ended."""

    def __init__(self, lead: Lead) -> None:
        self._lead = lead
        self.why: str | None = None

    async def __call__(self, term: Term, task_status: trio.TaskStatus[None]) -> None:
        try:
            await self._lead(term, task_status)
        except* (NotLeading, NotDurable) as failures:
            self.why = str(_first_leaf(failures))
            raise


def _first_leaf(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


class CandidatePause:
    """How long a node is no candidate after its writes have failed: 1 s, then 2, 4 and 8.

    A term of a minute shows that all is well again.
    """

    def __init__(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self._failed_s = float("-inf")

    def after_failure(self) -> float:
        now_s = trio.current_time()
        is_new = now_s - self._failed_s > WELL_AFTER_S
        self._pause_s = FIRST_PAUSE_S if is_new else min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._failed_s = now_s
        return self._pause_s
