"""This node among the nodes of one database: it reports every two seconds, and leads while it holds the
lease.

Nothing here ends the daemon. While the database cannot be reached a node that leads loses its term when its
lease is no longer trusted, and goes on taking in; afterwards it is a candidate like every other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import trio

from missedd.base.clock import Clock, to_us
from missedd.core.cluster.lease import (
    Ask,
    LeadershipRow,
    Lease,
    RenewalWatch,
    next_ask,
    next_round_in_s,
)
from missedd.core.cluster.node_clock import ClockSkew, measure_skew
from missedd.core.cluster.node_state import NodeEvent, NodeState, next_node_state
from missedd.engine.cluster.cluster_watch import ClusterWatch
from missedd.engine.cluster.failed_terms import CandidatePause, NotedFailure
from missedd.engine.cluster.first_decision import FirstDecision, first_of
from missedd.engine.cluster.membership import Membership, NodeIdentity
from missedd.engine.leadership.term import Lead, Term, run_term
from missedd.log.logger import Event, Logger
from missedd.store.cluster.coordination import Coordination
from missedd.store.cluster.leadership import (
    check_leads,
    hand_over,
    look_at_leadership,
    renew,
    resign,
    take_over,
)
from missedd.store.db.database import NotDurable

RETRY_S: Final = 0.5
"""The pause after a round that failed."""

LEAVE_LIMIT_S: Final = 2.0
"""How long a stop waits for the database to note it. Without the note the others wait for the lease's end."""


class ClusterLeadership:
    """The `Leadership` of a node that shares its database."""

    def __init__(
        self,
        db: Coordination,
        identity: NodeIdentity,
        clock: Clock,
        log: Logger,
        watch: ClusterWatch,
        slept_s: Callable[[], float],
        describe: Callable[[], str] = lambda: "{}",
        on_joined: Callable[[int], None] = lambda node: None,
        on_vacant: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint,
    ) -> None:
        """`slept_s` returns for how many seconds the machine was suspended so far: a lease runs on meanwhile.

        `describe` returns what the leader wants all consoles to show, as JSON; it goes out with each renewal.
        `on_joined` is called with the node's number, and `on_vacant` after it handed the leadership over.
        """
        self._db = db
        self._membership = Membership(db, identity, log, on_joined)
        self._clock = clock
        self._log = log
        self._watch = watch
        self._slept_s = slept_s
        self._describe = describe
        self._on_vacant = on_vacant
        self._state = NodeState.JOINING
        self._lease: Lease | None = None
        self._term: Term | None = None
        self._renewals = RenewalWatch()
        self._candidate_at_s = 0.0
        self._pause = CandidatePause()
        self._elected = trio.Event()
        self._round_wanted = trio.Event()

    @property
    def state(self) -> NodeState:
        return self._state

    def ask_soon(self) -> None:
        """Begin the next round now: the leadership may be vacant."""
        self._round_wanted.set()

    async def run(
        self,
        lead: Lead,
        stopping: trio.Event,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Lead for each term of this node; see `Leadership.run`."""
        decided = FirstDecision(task_status)
        async with trio.open_nursery() as nursery:
            await nursery.start(self._run_rounds, stopping, name="cluster rounds")
            while not stopping.is_set() or self._term is not None:
                if self._term is not None:
                    await self._lead(lead, self._term, decided)
                else:
                    decided.started()
                    await first_of(stopping, self._elected)
            nursery.cancel_scope.cancel()
        decided.started()
        self._happens(NodeEvent.STOPPED)
        await self._note(self._leave)

    async def _lead(self, lead: Lead, term: Term, decided: FirstDecision) -> None:
        noted = NotedFailure(lead)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_lease, term, name="lease")
            await run_term(noted, term, decided)
            nursery.cancel_scope.cancel()
        if noted.why is not None and self._state is NodeState.LEADS:
            self._lose(noted.why)
            self._candidate_at_s = trio.current_time() + self._pause.after_failure()
        self._lease = self._term = None
        self._elected = trio.Event()
        self._happens(NodeEvent.TERM_ENDED)
        # After a loss too: if nobody has taken over since, nobody needs to wait for the lease's end.
        await self._note(partial(self._hand_over, term, noted.why is None))

    async def _leave(self) -> None:
        if self._membership.node is not None and await resign(self._db, self._membership.node):
            await self._on_vacant()
        await self._membership.leave()

    async def _hand_over(self, term: Term, is_well: bool) -> None:
        """Where a write has failed, others find the leadership vacant in their next round, and not at once:
        if no node can write, the nodes would hand it around many times a second."""
        node = self._membership.node
        if node is not None and await hand_over(self._db, node, term.epoch) and is_well:
            await self._on_vacant()

    async def _note(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write a note for the other nodes. Without it they wait until the lease ends, and lose nothing
        else."""
        try:
            with trio.move_on_after(LEAVE_LIMIT_S):
                await write()
        except NotDurable as failure:
            self._log.log_throttled("warning", Event.CLUSTER_UNREACHABLE, part="leases", why=str(failure))

    async def _watch_lease(self, term: Term) -> None:
        while self._lease is not None and not term.lost.is_set():
            left_s = self._lease.trusted_until_s - self._now_s()
            if left_s <= 0:
                self._lose("the database did not confirm the lease in time")
            else:
                await trio.sleep(left_s)

    async def _run_rounds(
        self, stopping: trio.Event, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        has_started = False
        while True:
            self._round_wanted = trio.Event()
            pause_s = await self._try_round(stopping)
            if not has_started:
                has_started = True
                task_status.started()
            with trio.move_on_after(pause_s):
                await self._round_wanted.wait()

    async def _try_round(self, stopping: trio.Event) -> float:
        """One round. Returns the seconds until the next one."""
        try:
            pause_s = await self._round(stopping)
        except NotDurable as failure:
            self._log.log_throttled("warning", Event.CLUSTER_UNREACHABLE, part="leases", why=str(failure))
            pause_s = RETRY_S
        else:
            self._log.reset_throttle(Event.CLUSTER_UNREACHABLE)
        self._happens(NodeEvent.DECIDED)
        return pause_s

    async def _round(self, stopping: trio.Event) -> float:
        node, (row, skew) = await self._membership.join(), await self._look()
        await self._ask(node, row, skew, is_candidate=not stopping.is_set())
        await self._membership.report(node, skew.ahead_s)
        await self._watch.observe(self._db, node, skew, leads=self._lease is not None)
        return next_round_in_s(row, leads=self._lease is not None)

    async def _look(self) -> tuple[LeadershipRow, ClockSkew]:
        asked_us, began_s = to_us(self._clock.now()), trio.current_time()
        look = await look_at_leadership(self._db)
        skew = measure_skew(asked_us, trio.current_time() - began_s, look.now_us)
        # Without the time that the machine slept, in which it has watched nothing.
        self._watch.leader_words = look.state_json
        return self._renewals.seen(look.row, trio.current_time()), skew

    async def _ask(self, node: int, row: LeadershipRow, skew: ClockSkew, *, is_candidate: bool) -> None:
        leads = self._state is NodeState.LEADS
        can_begin = (
            is_candidate
            and self._state in (NodeState.JOINING, NodeState.TAKES_IN)
            and trio.current_time() >= self._candidate_at_s
        )
        may_lead = not skew.forbids_leading and (leads or can_begin)
        lease, asked_s = self._lease if leads else None, self._now_s()
        match next_ask(row, node, lease, may_lead=may_lead):
            case Ask.TAKE_OVER:
                epoch = await take_over(self._db, node, row)
                if epoch is not None:
                    self._win(node, Lease(epoch, asked_s))
            case Ask.RENEW if lease is not None:
                if not lease.is_trusted(asked_s):
                    self._lose("its lease has run out")  # the machine slept, or the daemon was stopped
                elif not await renew(self._db, node, lease.epoch, self._describe()):
                    self._lose("another node leads")
                elif self._state is NodeState.LEADS:
                    self._lease = Lease(lease.epoch, asked_s)
            case _ if leads:
                self._lose("its clock is wrong" if skew.forbids_leading else "another node leads")

    def _win(self, node: int, lease: Lease) -> None:
        if not lease.is_trusted(self._now_s()):
            return  # the answer came too late; the next round sees this node in the row, and asks again
        self._lease = lease
        self._term = Term(
            lease.epoch,
            fence=partial(check_leads, epoch=lease.epoch, node=node),
            is_trusted=partial(self._is_trusted, lease.epoch),
        )
        self._happens(NodeEvent.ELECTED)
        self._log.info(Event.CLUSTER_LEADS, node=node, epoch=lease.epoch)
        self._elected.set()

    def _lose(self, why: str) -> None:
        if self._state is NodeState.LEADS and self._term is not None:
            self._log.warning(Event.CLUSTER_LOST, node=self._membership.node, epoch=self._term.epoch, why=why)
            self._term.lost.set()
        self._happens(NodeEvent.LOST)

    def _is_trusted(self, epoch: int) -> bool:
        lease = self._lease
        return (
            self._state is NodeState.LEADS
            and lease is not None
            and lease.epoch == epoch
            and lease.is_trusted(self._now_s())
        )

    def _happens(self, event: NodeEvent) -> None:
        self._state = next_node_state(self._state, event)

    def _now_s(self) -> float:
        """A clock for leases: nobody sets it, and it goes on while the machine sleeps."""
        return trio.current_time() + self._slept_s()
