"""What a unit of work locks, where several nodes write to one database.

Two calls of one caller may reach two nodes in the same instant. Both nodes lock the caller's number and both
CallSids before they read the caller's history, so the second one reads what the first has committed.

There are two kinds of unit. One kind is about some people: it names their numbers, and runs beside all units
about other people. The other kind is about everybody, for example the end of a campaign's pause:
it locks everything, and nothing else is written meanwhile. A unit about some people that finds that it must
change somebody else's action, for example the callback of the next caller who waits for an agent, asks for
everything and runs again.

So whoever has locked everything reads a database in which no transaction is open: no row appears later with a
smaller id, and nobody begins to wait for something that has just happened. Rollups run all the time and do
without that: see `missedd.store.rollups.settled_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self

from missedd.base.value_type import fast_dataclass


@fast_dataclass(frozen=True, slots=True)
class LockKeys:
    """What a transaction holds from its first statement to its end.

    Two transactions that share a key wait for each other. With a single writer, as with SQLite, nothing is
    locked.
    """

    texts: frozenset[str] = frozenset()
    """Numbers in E.164, CallSids, and whatever else two nodes must not decide at once."""
    action_ids: frozenset[int] = frozenset()
    """Actions whose numbers are locked; the database knows the numbers."""
    everything: bool = False
    """Whether nobody else writes meanwhile. The other transactions share that lock."""

    @classmethod
    def of(cls, *texts: str | None, action_ids: Iterable[int] = ()) -> Self:
        """The keys of some texts, without those that are None."""
        return cls(frozenset(text for text in texts if text is not None), frozenset(action_ids))

    def __or__(self, other: LockKeys) -> LockKeys:
        return LockKeys(
            self.texts | other.texts,
            self.action_ids | other.action_ids,
            self.everything or other.everything,
        )

    def covers(self, other: LockKeys) -> bool:
        """Whether who holds these keys may do what needs the other ones."""
        return self.everything or (
            not other.everything and other.texts <= self.texts and other.action_ids <= self.action_ids
        )


NO_LOCKS: Final = LockKeys()
EVERYTHING: Final = LockKeys(everything=True)


class MoreLocks(Exception):
    """A unit needs keys that its transaction does not hold.

    The transaction is rolled back and runs again with them. To lock them then and there, in another order
    than other nodes do, could end in a deadlock.
    """

    def __init__(self, keys: LockKeys) -> None:
        super().__init__(f"{len(keys.texts)} texts and {len(keys.action_ids)} actions are not locked")
        self.keys = keys
