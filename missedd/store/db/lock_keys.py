"""What a unit of work locks, where several nodes write to one database.

Two calls of one caller may reach two nodes in the same instant. Both nodes lock the caller's number and both
CallSids before they read the caller's history, so the second one reads what the first has committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from missedd.base.value_type import fast_dataclass


@fast_dataclass(frozen=True, slots=True)
class LockKeys:
    """What a transaction holds from its first statement to its end.

    Two units that share a key wait for each other. With a single writer, as with SQLite, nothing is locked.
    """

    texts: frozenset[str] = frozenset()
    """Numbers in E.164, CallSids, and whatever else two nodes must not decide at once."""
    action_ids: frozenset[int] = frozenset()
    """Actions whose numbers are locked; the database knows the numbers."""

    @classmethod
    def of(cls, *texts: str | None, action_ids: Iterable[int] = ()) -> Self:
        """The keys of some texts, without those that are None."""
        return cls(frozenset(text for text in texts if text is not None), frozenset(action_ids))

    def __or__(self, other: LockKeys) -> LockKeys:
        return LockKeys(self.texts | other.texts, self.action_ids | other.action_ids)

    def covers(self, other: LockKeys) -> bool:
        """Whether who holds these keys holds the other ones."""
        return other.texts <= self.texts and other.action_ids <= self.action_ids


NO_LOCKS = LockKeys()


class MoreLocks(Exception):
    """A unit needs keys that its transaction does not hold.

    The transaction is rolled back and runs again with them. To lock them then and there, in another order
    than other nodes do, could end in a deadlock.
    """

    def __init__(self, keys: LockKeys) -> None:
        super().__init__(f"{len(keys.texts)} texts and {len(keys.action_ids)} actions are not locked")
        self.keys = keys
