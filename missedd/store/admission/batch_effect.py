"""What the calls of a batch change beside their own rows and actions: the one shape of all such changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Protocol, Self

from missedd.core.model import Admission, InboundCall, Kind
from missedd.core.policy import Policy
from missedd.store.db.database import Database


class BatchEffect(Protocol):
    """For example the votes of a batch: loaded once, changed call by call in memory, saved once.

    So a batch costs the same statements however many calls it has.
    """

    kinds: ClassVar[frozenset[Kind]]
    """The actions that it is about: it records no call where no campaign has any of them."""

    @classmethod
    async def load(
        cls, db: Database, calls: Sequence[InboundCall], policy: Policy, received_at: datetime
    ) -> Self:
        """Read what these calls may change; without a statement where they can change nothing."""
        ...

    def record(self, admission: Admission, call: InboundCall, call_id: int) -> Admission:
        """Take in one decided call, and return its admission with the result in its actions.

        `call_id` is the id of the call's row. Calls come in the order of the batch.
        """
        ...

    async def save(self, db: Database) -> None:
        """Write what has changed."""
        ...
