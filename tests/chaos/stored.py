"""What the nodes have written down, and when something came of each callback and SMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.chaos.site import Site


@dataclass(slots=True)
class ContactAction:
    """A callback or an SMS that is owed."""

    kind: str
    number: str
    state: str
    outcome: str | None
    due_at: datetime
    wake_at: datetime | None
    """When somebody looks at it again."""
    started_at: list[datetime] = field(default_factory=list)
    """When its attempts began."""
    cared_at: list[datetime] = field(default_factory=list)
    """When something came of it: a request at the exchange, the end of an attempt, a look-up, its end."""

    def __str__(self) -> str:
        attempts = len(self.started_at)
        return f"{self.kind} {self.state}, due {self.due_at:%H:%M:%S}, {attempts} attempts"

    @property
    def is_in_doubt(self) -> bool:
        """An attempt was cut off from its answer. A call is looked up for ten minutes, and an SMS waits half
        an hour for its report; then it ends as unknown."""
        return (self.state == "attempting" and self.wake_at is not None) or self.outcome == "unknown"

    @property
    def is_forgotten(self) -> bool:
        """It has no outcome, and is not in doubt."""
        return self.state != "done" and not self.is_in_doubt

    def overdue_s(self, struck_at: datetime, run_ended_at: datetime) -> float:
        """How long after a fault, and after it was due, it was out or looked up."""
        in_flight = any(at < struck_at for at in self.started_at)
        if in_flight and any(self.due_at <= at < struck_at for at in self.cared_at):
            return 0.0
        since = struck_at if in_flight else max(self.due_at, struck_at)
        return (
            min((at for at in self.cared_at if at >= since), default=run_ended_at) - since
        ).total_seconds()


@dataclass(frozen=True, slots=True)
class Stored:
    verdicts: Mapping[str, str]
    """Of each call, by its CallSid."""
    actions: Mapping[str, ContactAction]
    """The callbacks and SMS by their ids, spelled as the provider's CustomField has them."""


def read_stored(site: Site, truth: Mapping[str, Any]) -> Stored:
    verdicts = dict(site.query("SELECT call_sid, verdict FROM calls"))
    actions = {
        str(number): ContactAction(
            kind, phone, state, outcome, _at(due_us), None if wake_us is None else _at(wake_us)
        )
        for number, kind, phone, state, outcome, due_us, wake_us in site.query(
            "SELECT id, kind, number, state, outcome, due_at, wake_at FROM actions"
            " WHERE kind IN ('callback', 'sms')"
        )
    }
    for number, at_us in site.query("SELECT action_id, started_at FROM attempts"):
        if str(number) in actions:
            actions[str(number)].started_at.append(_at(at_us))
    cared = [
        (str(number), _at(at_us))
        for number, at_us in site.query(
            "SELECT id, closed_at FROM actions WHERE closed_at IS NOT NULL"
            " UNION ALL SELECT action_id, finished_at FROM attempts WHERE finished_at IS NOT NULL"
            " UNION ALL SELECT action_id, received_at FROM reports WHERE source = 'look-up'"
        )
    ]
    for each, at in (
        *((each, each["created_at"]) for each in truth["connects"]),
        *((each, each["sent_at"]) for each in truth["texts"]),
    ):
        cared.append((each["fields"]["CustomField"], datetime.fromisoformat(at)))
    for number, at in cared:
        if number in actions:
            actions[number].cared_at.append(at)
    return Stored(verdicts, actions)


def _at(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)
