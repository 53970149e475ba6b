"""The numbers that are in a call, and the channels of the account that are in use.

A mobile telephone takes one call: whoever rings it meanwhile hears the engaged tone, and it does not
ring. A switchboard takes any number of them: fixed-line numbers, toll-free ones and those of universal
access (140 and 1860 in India). Which a number is, the numbering plan says, unless the person does.

Somebody on the telephone may still ring an ExoPhone, as handsets hold one call and dial another; so a
number may have more calls than it takes.
"""

from __future__ import annotations

from collections import Counter

from simulator.exchange.model.numbering_plan import concurrent_calls
from simulator.exchange.model.people import Person


class BusyLines:
    """How many calls each number rings with or talks in, at this instant."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()

    def is_busy(self, person: Person) -> bool:
        """Whether another call to this person finds no line free."""
        most = concurrent_calls(person.number) if person.lines is None else person.lines
        return most is not None and self._calls[person.number] >= most

    def take(self, number: str) -> None:
        """Count one more call. The code that takes a line releases it once, when the call has ended."""
        self._calls[number] += 1

    def release(self, number: str) -> None:
        self._calls[number] -= 1
        if not self._calls[number]:
            del self._calls[number]


class AccountChannels:
    """The calls of the account that go on at this instant: one between two numbers counts two.

    A call counts from the request for it, ringing and re-dialling included, until it has ended; one
    that came in counts while somebody talks to the caller.
    """

    def __init__(self) -> None:
        self.in_use = 0

    def has_free(self, wanted: int, limit: int | None) -> bool:
        return limit is None or self.in_use + wanted <= limit

    def take(self, count: int) -> None:
        self.in_use += count

    def release(self, count: int) -> None:
        self.in_use -= count
