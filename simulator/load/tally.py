"""What is counted while a load runs. Adding to it costs well under a microsecond a call.

Latencies are kept as whole microseconds, all of them; the histogram is made at the end.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

LONGEST_US = 2**32 - 1


def micros() -> array[int]:
    return array("I")


@dataclass(slots=True)
class Tally:
    latencies_us: array[int] = field(default_factory=micros)
    """From the planned instant to the whole reply, or to giving up waiting for one."""
    late_us: array[int] = field(default_factory=micros)
    """From the planned instant to the sending: for want of a connection, or of a faster generator."""
    statuses: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    """Requests without a reply, by what went wrong."""
    planned: int = 0
    dropped: int = 0
    """Arrivals that found no free connection in time, and were never sent."""
    acknowledged: bytearray = field(default_factory=bytearray)
    """One a call, in the order in which they were planned: whether a delivery of it got its 2xx."""
    took_s: float = 0.0
    slowest_us: int = 0
    """Since somebody last looked and set it to zero."""

    @property
    def sent(self) -> int:
        return len(self.late_us)

    @property
    def answered(self) -> int:
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """Whatever was sent and got no 2xx."""
        return self.lost.total() + sum(n for status, n in self.statuses.items() if not 200 <= status < 300)

    def note_call(self) -> None:
        """Calls are numbered in the order in which this is called."""
        self.acknowledged.append(0)

    def note_sent(self, late_s: float) -> None:
        self.late_us.append(min(int(late_s * 1e6), LONGEST_US))

    def note_latency(self, latency_s: float) -> None:
        latency_us = min(int(latency_s * 1e6), LONGEST_US)
        self.latencies_us.append(latency_us)
        if latency_us > self.slowest_us:
            self.slowest_us = latency_us

    def note_reply(self, ordinal: int, status: int, verdict: str) -> None:
        self.statuses[status] += 1
        self.verdicts[verdict] += 1
        if 200 <= status < 300:
            self.acknowledged[ordinal] = 1
