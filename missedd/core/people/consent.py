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

MISSED_CALL: Final = "missed-call"
"""By which a consent is withdrawn: this, or what an operator acted through."""


class Standing(StrEnum):
    """What a call that joined is worth."""

    IN_FORCE = "in-force"
    WITHDRAWN = "withdrawn"
    REPEATED = "repeated"
    """It found a consent in force: the evidence is that one's call."""


@dataclass(frozen=True, slots=True)
class Joining:
    """A call that joins the list."""

    at: datetime
    call_id: int

    @property
    def place(self) -> tuple[datetime, bool, int]:
        return self.at, False, self.call_id


@dataclass(frozen=True, slots=True)
class Leaving:
    """A word that leaves the list: a call, or without one an operator's deed."""

    at: datetime
    by: str
    call_id: int | None = None

    @property
    def place(self) -> tuple[datetime, bool, int]:
        return self.at, True, self.call_id or 0


type Wish = Joining | Leaving


@dataclass(frozen=True, slots=True)
class Consent:
    """A call that joined, what it is worth, and what ended it."""

    joining: Joining
    standing: Standing
    withdrawal: Leaving | None = None


@dataclass(slots=True)
class Ledger:
    """What is known to have been said of one list by one number, in the order of its own time.

    It need not reach back to the beginning: from a consent on, nothing before it matters.
    """

    wishes: list[Wish] = field(default_factory=list)

    @classmethod
    def of(cls, wishes: Iterable[Wish]) -> Ledger:
        return cls(sorted(wishes, key=_place))

    @property
    def is_in_force(self) -> bool:
        return bool(self.wishes) and isinstance(self.wishes[-1], Joining)

    def join(self, joining: Joining) -> Reason:
        """Take in a call that joins, and say what came of it."""
        was_in_force = self.is_in_force
        insort(self.wishes, joining, key=_place)
        if not self.is_in_force:
            return Reason.WITHDRAWN_SINCE
        return Reason.ALREADY_SUBSCRIBED if was_in_force else Reason.SUBSCRIBED

    def leave(self, leaving: Leaving) -> Reason:
        """Take in a word that leaves, and say what came of it."""
        insort(self.wishes, leaving, key=_place)
        if self.is_in_force:
            return Reason.SUBSCRIBED_SINCE
        before = self.wishes.index(leaving) - 1
        found = before >= 0 and isinstance(self.wishes[before], Joining)
        return Reason.UNSUBSCRIBED if found else Reason.NOT_SUBSCRIBED

    def consents(self) -> list[Consent]:
        """What every call that joined is worth by all that is known."""
        found: list[Consent] = []
        current: int | None = None
        for wish in self.wishes:
            if isinstance(wish, Joining):
                repeats = current is not None
                found.append(Consent(wish, Standing.REPEATED if repeats else Standing.IN_FORCE))
                current = current if repeats else len(found) - 1
            elif current is not None:
                found[current] = Consent(found[current].joining, Standing.WITHDRAWN, wish)
                current = None
        return found


def _place(wish: Wish) -> tuple[datetime, bool, int]:
    return wish.place


def leaves_at(now: datetime, ledger: Ledger) -> datetime:
    """When an operator's word takes effect: now, or after all that was said, should that lie ahead.

    A call's own time may be a little ahead of our clock, and a person is taken off the list all the same.
    """
    return max([now, *(each.at for each in ledger.wishes)])


@dataclass(frozen=True, slots=True)
class OptOut:
    """A suppression that the number itself asked for, by calls.

    `call_id` is the call that began it: the SMS that confirms it is owed for that call. `asked_at`
    is the own time of the latest such call, `since` when the first took effect.
    """

    since: datetime
    asked_at: datetime
    until: datetime | None
    call_id: int


def opted_out(
    standing: OptOut | None, asked: OptOut, joined_at: datetime | None, now: datetime
) -> OptOut | None:
    """What stands after a call that opts out; `joined_at` is the number's latest call that joined any list.

    One that was made before such a call, or whose time has run out, changes nothing. A further one
    prolongs what stands, and never shortens it.
    """
    is_over = asked.until is not None and asked.until <= now
    if is_over or (joined_at is not None and joined_at > asked.asked_at):
        return standing
    if standing is None:
        return asked
    untils = (standing.until, asked.until)
    until = None if None in untils else max(each for each in untils if each is not None)
    return replace(standing, asked_at=max(standing.asked_at, asked.asked_at), until=until)


def joined_again(standing: OptOut | None, joined_at: datetime) -> OptOut | None:
    """What stands after a call that joins a list: who joins after opting out may be contacted again."""
    return None if standing is not None and joined_at > standing.asked_at else standing
