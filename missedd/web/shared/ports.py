"""What the private site needs from the rest of the daemon, as protocols."""

from __future__ import annotations

from typing import Protocol

import trio

from missedd.core.api_types.verifications import VerificationJson
from missedd.core.audit import Actor
from missedd.core.cluster.cluster_status import ClusterStatus
from missedd.core.people.verification import VerificationRefusal
from missedd.operator_actions.description import OperatorChange


class ClusterReader(Protocol):
    """Reads how the nodes on this database stand."""

    async def __call__(self) -> ClusterStatus: ...


class Verifier(Protocol):
    """Verifies numbers by missed calls, for an application."""

    async def start(self, number: str, campaign: str) -> VerificationJson | VerificationRefusal: ...

    async def verification(self, verification_id: str) -> VerificationJson | None:
        """How it stands; None if there is none. That it has expired is final once it is told here."""
        ...


class PollFeed(Protocol):
    """Tells when a poll has changed. The poll itself is read from the store."""

    def version(self, poll: str) -> int:
        """Get this before reading the poll, and pass it to `wait` afterwards."""
        ...

    async def wait(self, poll: str, since: int) -> None:
        """Return when the poll has changed since the version `since`."""
        ...

    @property
    def reread_s(self) -> float:
        """After so many seconds without news the poll is read all the same; infinite if none is lost."""
        ...

    @property
    def closed(self) -> trio.Event:
        """Set when the daemon stops and no more changes are reported."""
        ...


class Operations(Protocol):
    """The changes that an operator can make."""

    async def perform[R](self, actor: Actor, change: OperatorChange[R]) -> R:
        """Make a change. Returns when the change and its audit record are on disk."""
        ...
