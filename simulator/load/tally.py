"""Counts requests and replies while a load runs. One count takes well under a microsecond.

All latencies are kept, in whole microseconds; the histogram is made at the end.
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
    """From the planned instant to the whole reply, or to the timeout."""
    send_delays_us: array[int] = field(default_factory=new_latency_array)
    """From the planned instant to the sending: the request waited for a connection or the generator."""
    statuses: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    """Requests without a reply, by what went wrong."""
    planned: int = 0
    dropped: int = 0
    """Requests that found no free connection in time and were never sent."""
    acknowledged: bytearray = field(default_factory=bytearray)
    """One byte per call, in planned order: 1 if a delivery of the call got a 2xx."""
    took_s: float = 0.0
    slowest_us: int = 0
    """The slowest reply since the last progress report, which sets the value to zero."""

    @property
    def sent(self) -> int:
        return len(self.send_delays_us)

    @property
    def answered(self) -> int:
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """Requests that were sent and got no 2xx."""
        return self.failures.total() + sum(
            n for status, n in self.statuses.items() if not 200 <= status < 300
        )

    def count_call(self) -> None:
        """Count a new call. Calls are numbered from 0, in the order of these counts."""
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
