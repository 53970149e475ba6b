"""What a unit of work is given, and what it tells whoever runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from missedd.core.audit import Actor
from missedd.core.policy import Policy
from missedd.operator_actions.description import OperatorChange
from missedd.store.actions.rows import ActionRow, Timer
from missedd.store.db.database import Database
from missedd.store.db.lock_keys import EVERYTHING, LockKeys


@dataclass(frozen=True, slots=True)
class ChangeContext:
    """Who asks for a change, when, and under which policy."""

    actor: Actor
    now: datetime
    policy: Policy


@dataclass(frozen=True, slots=True)
class AuditNote:
    """What the audit record and the log say of a change: `details` stand in the record, `log` in the line."""

    subject: str | int
    details: Mapping[str, object] = field(default_factory=dict)
    log: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect[R]:
    """What a unit did. Without an `audit` note nothing was changed."""

    result: R
    audit: AuditNote | None = None
    timers: Sequence[Timer] = ()
    """When to wake for what the change has made due."""
    cancelled: Sequence[ActionRow] = ()
    """Callbacks that are not needed any more."""


type Unit = Callable[[Database, Any, ChangeContext], Awaitable[Effect[Any]]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A unit of work. `is_long` if it may look at many rows: then it runs on a thread of its own."""

    unit: Unit
    is_long: bool = False
    locks: Callable[[Any], LockKeys] = lambda _change: EVERYTHING
    """What the unit locks for a change: a number, say; by default nobody else writes meanwhile."""


type OperationTable = Mapping[type[OperatorChange[Any]], Operation]
