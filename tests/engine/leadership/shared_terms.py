"""Terms of a database that is shared in name only: a test decides which epoch the database knows."""

from __future__ import annotations

import trio

from missedd.engine.leadership.term import Lead, Term, run_term
from missedd.store.db.database import Database, NotLeading


class Election:
    """The leadership as the database has it, and what this node believes about it."""

    def __init__(self) -> None:
        self.epoch = 0
        """The epoch of the latest term of any node."""
        self.is_trusted = True
        """Whether the node trusts its lease, rightly or not."""
        self.stopped_writes = 0

    def elect(self) -> Term:
        """Begin a new term."""
        self.epoch = epoch = self.epoch + 1

        async def fence(db: Database) -> None:
            if self.epoch != epoch:
                self.stopped_writes += 1
                raise NotLeading(f"epoch {self.epoch} leads, not {epoch}")

        return Term(epoch, fence, lambda: self.is_trusted)


class FakeLeadership:
    """Leads while a test says so: `win` begins a term, `lose` ends it behind the node's back or with its
    knowledge."""

    def __init__(self, election: Election) -> None:
        self.election = election
        self.term: Term | None = None
        self.handed_over: list[int] = []
        self._won = trio.Event()

    def win(self) -> None:
        self.term = self.election.elect()
        self._won.set()

    def lose(self, *, knows: bool = True) -> None:
        """Another node leads from now on. A node that does not know learns it from its next write."""
        self.election.epoch += 1
        if knows and self.term is not None:
            self.term.lost.set()

    async def run(
        self,
        lead: Lead,
        stopping: trio.Event,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        is_first = True
        while True:
            if self.term is not None:
                term, status = self.term, task_status if is_first else trio.TASK_STATUS_IGNORED
                has_drained = await run_term(lead, term, status)
                self.term, self._won = None, trio.Event()
                if has_drained:
                    self.handed_over.append(term.epoch)
            elif is_first:
                task_status.started()
            is_first = False
            if stopping.is_set():
                return
            async with trio.open_nursery() as nursery:

                async def wait(event: trio.Event, scope: trio.CancelScope) -> None:
                    await event.wait()
                    scope.cancel()

                nursery.start_soon(wait, stopping, nursery.cancel_scope)
                nursery.start_soon(wait, self._won, nursery.cancel_scope)
