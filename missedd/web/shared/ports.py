"""What the private site needs of the rest of the house, and nothing more of it."""

from __future__ import annotations

from typing import Protocol

import trio

from missedd.core.api_types.verifications import VerificationJson
from missedd.core.audit import Actor
from missedd.core.people.verification import VerificationRefusal
from missedd.operator_actions.description import OperatorChange


class Verifier(Protocol):
    """Has numbers proved by missed calls, for an application that asks."""

    async def start(self, number: str, campaign: str) -> VerificationJson | VerificationRefusal: ...

    async def verification(self, verification_id: str) -> VerificationJson | None:
        """How it stands; None if there is none. That it has expired is final once it is told here."""
        ...


class PollFeed(Protocol):
    """Which polls have changed; everything else about them is read."""

    def version(self, poll: str) -> int:
        """To be asked before the poll is read, and given to `wait` after that."""
        ...

    async def wait(self, poll: str, since: int) -> None:
        """Return when the poll has changed since."""
        ...

    @property
    def closed(self) -> trio.Event:
        """Set when nothing more will be told, as the daemon stops."""
        ...


class Operations(Protocol):
    """What an operator may change by hand."""

    async def perform[R](self, actor: Actor, change: OperatorChange[R]) -> R:
        """Make a change; it returns when the change is durable and on the audit record."""
        ...
