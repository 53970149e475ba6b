"""Goals of a load: what was asked of it, what it came to, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.load.results import LoadResults


@dataclass(frozen=True, slots=True)
class LoadGoals:
    """Those that are None were not set."""

    p99_s: float | None = None
    errors: int | None = None
    dropped: int | None = None
    min_rate: float | None = None

    def missed_goals(self, results: LoadResults) -> list[str]:
        """Each goal that was missed, in words."""
        missed = []
        p99_ms = results.latency_ms.get("p99")
        if self.p99_s is not None and (p99_ms is None or p99_ms > self.p99_s * 1000):
            got = "nothing was answered" if p99_ms is None else f"it was {p99_ms:,.2f} ms"
            missed.append(f"p99 should be at most {self.p99_s * 1000:g} ms; {got}")
        if self.errors is not None and results.errors > self.errors:
            missed.append(f"errors should be at most {self.errors:,}; there were {results.errors:,}")
        if self.dropped is not None and results.dropped > self.dropped:
            missed.append(f"dropped should be at most {self.dropped:,}; there were {results.dropped:,}")
        if self.min_rate is not None and results.answered_rate < self.min_rate:
            missed.append(
                f"the rate should be at least {self.min_rate:g}/s; {results.answered_rate:,.1f}/s "
                "were answered"
            )
        return missed
