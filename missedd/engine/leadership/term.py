"""A term: the time in which this node leads, from its election until the term is lost or handed over.

    await leadership.run(lead, stopping)   # calls `lead(term)` for each term of this node

The leading node sends what is due. What another node's term has begun since, this node must not touch. So
each write of a leader's part begins with the term's fence, and each request is checked by the term just
before it goes out. With SQLite there is one node, and one term that is never lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import trio

from missedd.store.db.database import NotDurable, NotLeading, UnitOfWork

MAX_CLAIM_AGE_S: Final = 0.5
"""A request goes out at most this long after its claim was asked for.

Another node begins a term only after it has waited for longer than that, so it finds the attempt."""

TRUST_CHECK_EVERY_S: Final = 0.1

TOO_LATE: Final = "too-late"
NOT_LEADING: Final = "not-leading"
"""Why a request was not sent: the code of its attempt."""


@dataclass(eq=False, slots=True)
class Term:
    """One term of this node."""

    epoch: int
    """Given out by the database, larger for each later term of any node."""
    fence: UnitOfWork[None] | None = None
    """Begins each writing unit of the term; raises `NotLeading` if the term is over. None if no other node
    can begin a term."""
    is_trusted: Callable[[], bool] = lambda: True
    """Whether no other node can lead at this instant, by what this node knows without asking."""
    lost: trio.Event = field(default_factory=trio.Event)
    """Set when the term is over: another node leads, or may soon."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes write to the same database, and one of them may lead next."""
        return self.fence is not None

    def why_not_send(self, asked_at_s: float) -> str | None:
        """Why a request must not go out now; None if it may. Ask just before the request.

        `asked_at_s` is when its claim was asked for, by trio's clock. On one node nothing stands against
        it: there a slow disk only delays requests.
        """
        if not self.is_shared:
            return None
        if trio.current_time() - asked_at_s >= MAX_CLAIM_AGE_S:
            return TOO_LATE
        return NOT_LEADING if self.lost.is_set() or not self.is_trusted() else None

    async def wait_until_trusted(self) -> None:
        """Return when requests may go out. What is claimed before that would only be given back."""
        while self.is_shared and not self.is_trusted():  # noqa: ASYNC110 - the trust has no event
            await trio.sleep(TRUST_CHECK_EVERY_S)


class Lead(Protocol):
    """Leads for one term; built by the engine, called by the leadership."""

    async def __call__(self, term: Term, task_status: trio.TaskStatus[None]) -> None:
        """Recover, call `task_status.started()`, and lead. Returns once an orderly stop has drained.

        It is cancelled when the term is lost.
        """
        ...


class Leadership(Protocol):
    """Decides when this node leads."""

    async def run(
        self,
        lead: Lead,
        stopping: trio.Event,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Lead for each term that this node wins; for ever, or until `stopping` is set.

        Calls `task_status.started()` with the first decision: this node leads and has recovered, or another
        node leads. Once `stopping` is set no further term begins. A term that goes on then ends when `lead`
        returns, and is handed over at once. Use `run_term` for each term.
        """
        ...


class SoleLeadership:
    """The leadership of a node that has its database alone: it leads at once, and for ever."""

    async def run(
        self,
        lead: Lead,
        stopping: trio.Event,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Lead for the only term; see `Leadership.run`."""
        await lead(Term(epoch=1), task_status)


async def run_term(
    lead: Lead, term: Term, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> bool:
    """Lead for one term of a shared database. Returns whether `lead` ended by itself: then hand over.

    When the term is lost, `lead` is cancelled, and the result is False. A write that the fence stops loses
    the term. So does a part that cannot go on without the database: give the term up then, as far as the
    database can be reached, and run for election again. No other error is caught.
    """
    has_drained = False
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_lost, term, nursery.cancel_scope, name="end of the term")
            await lead(term, task_status)
            has_drained = True
            nursery.cancel_scope.cancel()
    except* (NotLeading, NotDurable):
        has_drained = False
    if not has_drained:
        term.lost.set()
    return has_drained


async def _cancel_when_lost(term: Term, scope: trio.CancelScope) -> None:
    await term.lost.wait()
    scope.cancel()
