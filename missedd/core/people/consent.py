"""Which lists a number is on, and whether it has opted out.

Example: Exotel delivers the call that joins a list after the call that leaves it, although the joining call
came first. The number is off the list: the state depends on when people called, not on when the webhook
arrived.

At the same instant, leaving comes after joining. A number has at most one consent in force for a list; a
second call does not create a second consent.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from missedd.core.reasons import Reason

WITHDRAWN_BY_CALL: Final = "missed-call"
"""The value of `withdrawn_by` for a call. Else it is the interface that an operator used."""


class ConsentStatus(StrEnum):
    """The status of a call that joined a list."""

    IN_FORCE = "in-force"
    WITHDRAWN = "withdrawn"
    REPEATED = "repeated"
    """The number was on the list already; the earlier call stays the evidence."""


@dataclass(frozen=True, slots=True)
class SubscribeEvent:
    """A call that joins the list."""

    at: datetime
    call_id: int

    @property
    def sort_key(self) -> tuple[datetime, bool, int]:
        return self.at, False, self.call_id


@dataclass(frozen=True, slots=True)
class UnsubscribeEvent:
    """A call that leaves the list, or an operator's action (`call_id` is None)."""

    at: datetime
    by: str
    call_id: int | None = None

    @property
    def sort_key(self) -> tuple[datetime, bool, int]:
        return self.at, True, self.call_id or 0


type ConsentEvent = SubscribeEvent | UnsubscribeEvent


@dataclass(frozen=True, slots=True)
class Consent:
    """A call that joined, its status, and the event that ended the consent."""

    subscribed_by: SubscribeEvent
    status: ConsentStatus
    withdrawal: UnsubscribeEvent | None = None


@dataclass(slots=True)
class ConsentHistory:
    """All known events of one number and one list, in the order of their own times.

    The history may start at a consent: earlier events do not matter then.
    """

    events: list[ConsentEvent] = field(default_factory=list)

    @classmethod
    def from_events(cls, events: Iterable[ConsentEvent]) -> ConsentHistory:
        return cls(sorted(events, key=_sort_key))

    @property
    def is_subscribed(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], SubscribeEvent)

    def add_subscribe(self, event: SubscribeEvent) -> Reason:
        """Add a call that joins, and return the reason to record."""
        was_in_force = self.is_subscribed
        insort(self.events, event, key=_sort_key)
        if not self.is_subscribed:
            return Reason.WITHDRAWN_SINCE
        return Reason.ALREADY_SUBSCRIBED if was_in_force else Reason.SUBSCRIBED

    def add_unsubscribe(self, event: UnsubscribeEvent) -> Reason:
        """Add an event that leaves, and return the reason to record."""
        insort(self.events, event, key=_sort_key)
        if self.is_subscribed:
            return Reason.SUBSCRIBED_SINCE
        before = self.events.index(event) - 1
        was_subscribed = before >= 0 and isinstance(self.events[before], SubscribeEvent)
        return Reason.UNSUBSCRIBED if was_subscribed else Reason.NOT_SUBSCRIBED

    def consents(self) -> list[Consent]:
        """The status of every call that joined, given all known events."""
        consents: list[Consent] = []
        current: int | None = None
        for event in self.events:
            if isinstance(event, SubscribeEvent):
                repeats = current is not None
                status = ConsentStatus.REPEATED if repeats else ConsentStatus.IN_FORCE
                consents.append(Consent(event, status))
                current = current if repeats else len(consents) - 1
            elif current is not None:
                subscribed_by = consents[current].subscribed_by
                consents[current] = Consent(subscribed_by, ConsentStatus.WITHDRAWN, event)
                current = None
        return consents


def _sort_key(event: ConsentEvent) -> tuple[datetime, bool, int]:
    return event.sort_key


def withdrawal_time(now: datetime, history: ConsentHistory) -> datetime:
    """When an operator's unsubscription takes effect: now, or after every known event if one lies ahead of
    now.

    A call's own time may be a little ahead of our clock; the number must leave the list all the same.
    """
    return max([now, *(each.at for each in history.events)])


@dataclass(frozen=True, slots=True)
class OptOut:
    """A suppression that the number asked for itself, by one or more calls.

    `call_id` is the first of these calls; the confirmation SMS is owed for it. `requested_at` is the own time
    of the latest of these calls, `since` the time at which the first one took effect.
    """

    since: datetime
    requested_at: datetime
    until: datetime | None
    call_id: int


def apply_opt_out(
    current: OptOut | None, requested: OptOut, joined_at: datetime | None, now: datetime
) -> OptOut | None:
    """The opt-out after one more call that opts out. `joined_at` is the number's latest call that joined any
    list.

    A call that is older than `joined_at`, or whose suppression is over already, changes nothing. A further
    call extends the opt-out and never shortens it.
    """
    is_over = requested.until is not None and requested.until <= now
    if is_over or (joined_at is not None and joined_at > requested.requested_at):
        return current
    if current is None:
        return requested
    untils = (current.until, requested.until)
    until = None if None in untils else max(each for each in untils if each is not None)
    return replace(current, requested_at=max(current.requested_at, requested.requested_at), until=until)


def apply_resubscribe(current: OptOut | None, joined_at: datetime) -> OptOut | None:
    """The opt-out after a call that joins a list: joining after opting out ends the opt-out."""
    return None if current is not None and joined_at > current.requested_at else current
