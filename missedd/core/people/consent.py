"""Who is on which list, and who opted out: by what people said, each by its call's own time.

What comes out depends on what was said and when, never on the order in which it became known: a
call that joins a list may be delivered minutes after the one that left it again. At the same
instant, leaving comes after joining. One consent at a time is in force for a number and a list.
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
"""By which a consent is withdrawn: this, or what an operator acted through."""


class ConsentStatus(StrEnum):
    """What a call that joined is worth."""

    IN_FORCE = "in-force"
    WITHDRAWN = "withdrawn"
    REPEATED = "repeated"
    """It found a consent in force: the evidence is that one's call."""


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
    """A word that leaves the list: a call, or without one an operator's deed."""

    at: datetime
    by: str
    call_id: int | None = None

    @property
    def sort_key(self) -> tuple[datetime, bool, int]:
        return self.at, True, self.call_id or 0


type ConsentEvent = SubscribeEvent | UnsubscribeEvent


@dataclass(frozen=True, slots=True)
class Consent:
    """A call that joined, what it is worth, and what ended it."""

    subscribed_by: SubscribeEvent
    status: ConsentStatus
    withdrawal: UnsubscribeEvent | None = None


@dataclass(slots=True)
class ConsentHistory:
    """What is known to have been said of one list by one number, in the order of its own time.

    It need not reach back to the beginning: from a consent on, nothing before it matters.
    """

    events: list[ConsentEvent] = field(default_factory=list)

    @classmethod
    def from_events(cls, events: Iterable[ConsentEvent]) -> ConsentHistory:
        return cls(sorted(events, key=_sort_key))

    @property
    def is_subscribed(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], SubscribeEvent)

    def add_subscribe(self, event: SubscribeEvent) -> Reason:
        """Take in a call that joins, and say what came of it."""
        was_in_force = self.is_subscribed
        insort(self.events, event, key=_sort_key)
        if not self.is_subscribed:
            return Reason.WITHDRAWN_SINCE
        return Reason.ALREADY_SUBSCRIBED if was_in_force else Reason.SUBSCRIBED

    def add_unsubscribe(self, event: UnsubscribeEvent) -> Reason:
        """Take in a word that leaves, and say what came of it."""
        insort(self.events, event, key=_sort_key)
        if self.is_subscribed:
            return Reason.SUBSCRIBED_SINCE
        before = self.events.index(event) - 1
        found = before >= 0 and isinstance(self.events[before], SubscribeEvent)
        return Reason.UNSUBSCRIBED if found else Reason.NOT_SUBSCRIBED

    def consents(self) -> list[Consent]:
        """What every call that joined is worth by all that is known."""
        found: list[Consent] = []
        current: int | None = None
        for wish in self.events:
            if isinstance(wish, SubscribeEvent):
                repeats = current is not None
                found.append(Consent(wish, ConsentStatus.REPEATED if repeats else ConsentStatus.IN_FORCE))
                current = current if repeats else len(found) - 1
            elif current is not None:
                found[current] = Consent(found[current].subscribed_by, ConsentStatus.WITHDRAWN, wish)
                current = None
        return found


def _sort_key(event: ConsentEvent) -> tuple[datetime, bool, int]:
    return event.sort_key


def withdrawal_time(now: datetime, history: ConsentHistory) -> datetime:
    """When an operator's word takes effect: now, or after all that was said, should that lie ahead.

    A call's own time may be a little ahead of our clock, and a person is taken off the list all the same.
    """
    return max([now, *(each.at for each in history.events)])


@dataclass(frozen=True, slots=True)
class OptOut:
    """A suppression that the number itself asked for, by calls.

    `call_id` is the call that began it: the SMS that confirms it is owed for that call. `requested_at`
    is the own time of the latest such call, `since` when the first took effect.
    """

    since: datetime
    requested_at: datetime
    until: datetime | None
    call_id: int


def apply_opt_out(
    current: OptOut | None, requested: OptOut, joined_at: datetime | None, now: datetime
) -> OptOut | None:
    """What stands after a call that opts out; `joined_at` is the number's latest call that joined any list.

    One that was made before such a call, or whose time has run out, changes nothing. A further one
    prolongs what stands, and never shortens it.
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
    """What stands after a call that joins a list: who joins after opting out may be contacted again."""
    return None if current is not None and joined_at > current.requested_at else current
