"""What is counted while a load runs. Adding to it costs well under a microsecond a call.

Latencies are kept as whole microseconds, all of them; the histogram is made at the end.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

MAX_LATENCY_US = 2**32 - 1


def new_latency_array() -> array[int]:
    return array("I")


@dataclass(slots=True)
class LoadTally:
    latencies_us: array[int] = field(default_factory=new_latency_array)
    """From the planned instant to the whole reply, or to giving up waiting for one."""
    send_delays_us: array[int] = field(default_factory=new_latency_array)
    """From the planned instant to the sending: for want of a connection, or of a faster generator."""
    statuses: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
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
        return len(self.send_delays_us)

    @property
    def answered(self) -> int:
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """Whatever was sent and got no 2xx."""
        return self.failures.total() + sum(
            n for status, n in self.statuses.items() if not 200 <= status < 300
        )

    def count_call(self) -> None:
        """Calls are numbered in the order in which this is called."""
        self.acknowledged.append(0)

    def record_sent(self, late_s: float) -> None:
        self.send_delays_us.append(min(int(late_s * 1e6), MAX_LATENCY_US))

    def record_latency(self, latency_s: float) -> None:
        latency_us = min(int(latency_s * 1e6), MAX_LATENCY_US)
        self.latencies_us.append(latency_us)
        if latency_us > self.slowest_us:
            self.slowest_us = latency_us

    def record_reply(self, call_index: int, status: int, verdict: str) -> None:
        self.statuses[status] += 1
        self.verdicts[verdict] += 1
        if 200 <= status < 300:
            self.acknowledged[call_index] = 1
