"""The leader's lease: who leads, for how long, and how long the leader itself trusts that.

Example, in seconds: a leader asks at 0 for a renewal, and the database notes the renewal at 1.5. Another node
may take over from 11.5 on. The leader trusts its lease until 8, since it counts from the moment at which it
*asked*.

So two clocks take part, and they are never compared with each other. The database compares its own clock with
what that clock said at the renewal. A node measures only how much time has passed for itself, by a clock that
nobody sets and that goes on while the machine sleeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

LEASE_S: Final = 10.0
"""How long after its last renewal a leader may be replaced, by the database's clock. A dead leader is
replaced after 10 s, which leaves 5 s of the promised 15 s for the start of the next one."""

MARGIN_S: Final = 2.0
"""How much less a node trusts its own lease. After a failover the database's clock is another machine's,
which may be ahead of the first one by that much."""

TRUSTED_S: Final = LEASE_S - MARGIN_S

RENEW_EVERY_S: Final = 2.0
"""Three renewals in a row may be lost or late before a leader gives up."""

POLL_SLACK_S: Final = 0.05
"""How long after the end of a lease others ask for it, so that they need not ask twice."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The leadership of this node, as the database last confirmed it."""

    epoch: int
    """Counts the changes of leader. The database gives it out, and every write of a leader names it."""
    asked_s: float
    """When this node began to ask for it: seconds of a clock that goes on while the machine sleeps."""

    @property
    def trusted_until_s(self) -> float:
        return self.asked_s + TRUSTED_S

    def is_trusted(self, now_s: float) -> bool:
        """Whether nobody else can lead yet, at `now_s` of the clock of `asked_s`."""
        return now_s < self.trusted_until_s


@dataclass(frozen=True, slots=True)
class LeadershipRow:
    """What the database says about the leadership, as this node has read it."""

    epoch: int
    node: int | None
    """The id of the node that leads, or led last; None if it has handed over, or if nobody ever led."""
    renewed_us: int
    """The database's time at the last renewal, in microseconds of Unix time."""
    age_s: float
    """Time since the last renewal, by the database's clock. Negative after its clock was set back."""
    watched_s: float = 0.0
    """For how long this node has seen that same renewal, by its own clock."""

    @property
    def is_free(self) -> bool:
        """Whether a node may take over.

        The own clock counts too. After a failover to a machine whose clock is an hour behind, a dead leader's
        renewal would look fresh for an hour.
        """
        return self.node is None or max(self.age_s, self.watched_s) > LEASE_S

    @property
    def free_in_s(self) -> float:
        """How long until a node may take over if there is no renewal, in seconds; 0 if one may now."""
        return 0.0 if self.is_free else LEASE_S - max(self.age_s, self.watched_s)


class RenewalWatch:
    """Notes for how long this node has seen one and the same renewal."""

    def __init__(self) -> None:
        self._renewal: tuple[int, int] | None = None
        self._since_s = 0.0

    def seen(self, row: LeadershipRow, now_s: float) -> LeadershipRow:
        """The row with its `watched_s`. Call this with each row that was read; `now_s` is after the answer,
        by a clock that nobody sets and that stands still while the machine sleeps."""
        renewal = (row.epoch, row.renewed_us)
        if renewal != self._renewal:
            self._renewal, self._since_s = renewal, now_s
        return replace(row, watched_s=now_s - self._since_s)


class Ask(StrEnum):
    """What a node asks of the database in one round."""

    RENEW = "renew"
    TAKE_OVER = "take over"
    NOTHING = "nothing"


def next_ask(row: LeadershipRow, node: int, lease: Lease | None, *, may_lead: bool) -> Ask:
    """What node number `node` asks, with its `lease` if it leads.

    Whoever leads and may not any more, for example because of its clock, does not renew. A row that names
    this node without a lease is from a takeover whose answer was lost: the node takes over again, with a new
    epoch.
    """
    if not may_lead:
        return Ask.NOTHING
    if lease is not None:
        return Ask.RENEW if (row.node, row.epoch) == (node, lease.epoch) else Ask.NOTHING
    return Ask.TAKE_OVER if row.is_free or row.node == node else Ask.NOTHING


def next_round_in_s(row: LeadershipRow, *, leads: bool) -> float:
    """Seconds until the next round: the usual pause, or earlier if the leader's lease ends before."""
    if leads or row.is_free:
        return RENEW_EVERY_S
    return min(RENEW_EVERY_S, row.free_in_s + POLL_SLACK_S)
