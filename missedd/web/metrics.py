"""Counts of what happened since the start, and the text in which Prometheus reads them.

Counting is a dictionary's increment: no lock, as everything runs in one thread. What can be asked
of the store (what waits, what is suppressed) is not counted here but asked for when it is wanted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from missedd.clock import to_us


class Counter:
    """A number that only grows, kept by the values of its labels."""

    def __init__(self, name: str, help_text: str, *labels: str) -> None:
        self._name = name
        self._help = help_text
        self._labels = labels
        self._counts: dict[tuple[str, ...], float] = {} if labels else {(): 0}

    def add(self, *values: object, by: float = 1) -> None:
        """Count one more for these label values, in the order of the labels."""
        if len(values) != len(self._labels):
            raise TypeError(f"{self._name} has the labels {self._labels}")
        key = tuple(map(str, values))
        self._counts[key] = self._counts.get(key, 0) + by

    def value(self, *values: object) -> float:
        return self._counts.get(tuple(map(str, values)), 0)

    def lines(self) -> Iterator[str]:
        yield from _opening(self._name, self._help, "counter")
        for values, count in sorted(self._counts.items()):
            yield _sample(self._name, dict(zip(self._labels, values, strict=True)), count)


class Histogram:
    """How long things took, in seconds, by buckets."""

    def __init__(self, name: str, help_text: str, bounds: tuple[float, ...]) -> None:
        self._name = name
        self._help = help_text
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def lines(self) -> Iterator[str]:
        yield from _opening(self._name, self._help, "histogram")
        seen = 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            seen += count
            yield _sample(f"{self._name}_bucket", {"le": str(bound)}, seen)
        yield _sample(f"{self._name}_sum", {}, self._sum)
        yield _sample(f"{self._name}_count", {}, seen)


class Metrics:
    """Everything that is counted. Those who make things happen add to it; `text` shows it."""

    def __init__(self) -> None:
        self.calls = Counter("missedd_calls_total", "Missed calls answered, by verdict.", "verdict")
        self.recovered = Counter(
            "missedd_recovered_calls_total",
            "Missed calls that no webhook told of, found in the provider's list, by verdict.",
            "verdict",
        )
        self.reports = Counter("missedd_reports_total", "Status reports taken in, by kind.", "kind")
        self.refused = Counter(
            "missedd_refused_requests_total",
            "Requests to the public listener that brought nothing in, by HTTP status.",
            "status",
        )
        self.attempts = Counter(
            "missedd_attempts_total", "Requests sent for an action, by kind and result.", "kind", "result"
        )
        self.closed = Counter(
            "missedd_actions_closed_total", "Actions that ended, by kind and outcome.", "kind", "outcome"
        )
        self.agent_misses = Counter(
            "missedd_agent_misses_total",
            "Callbacks that only rang an agent, who did not come, by campaign and reason.",
            "campaign",
            "reason",
        )
        self.acknowledgement = Histogram(
            "missedd_acknowledgement_seconds",
            "From a whole request to its durable answer.",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
        )
        self.lateness = Histogram(
            "missedd_lateness_seconds",
            "From an action's due instant to its request.",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0),
        )

    def text(self, gauges: Mapping[str, Any], now: datetime) -> str:
        """The exposition format, version 0.0.4; `gauges` as `Reads.gauges` tells them."""
        lines: list[str] = []
        counted = (self.calls, self.recovered, self.reports, self.refused, self.attempts, self.closed)
        for each in (*counted, self.agent_misses):
            lines += each.lines()
        lines += self.acknowledgement.lines()
        lines += self.lateness.lines()
        lines += _opening("missedd_actions_open", "Actions without an outcome, by kind and state.", "gauge")
        for (kind, state), count in gauges["open"].items():
            lines.append(_sample("missedd_actions_open", {"kind": kind, "state": state}, count))
        lines += _opening("missedd_suppressions", "Numbers on the suppression list.", "gauge")
        lines.append(_sample("missedd_suppressions", {}, gauges["suppressions"]))
        absent = "Agents who missed five calls in a row or more."
        lines += _opening("missedd_agents_absent", absent, "gauge")
        lines.append(_sample("missedd_agents_absent", {}, gauges["agents_absent"]))
        if gauges["next_wake_at"] is not None:
            name = "missedd_next_wake_seconds"
            lines += _opening(name, "Seconds until the next action is due; negative when overdue.", "gauge")
            lines.append(_sample(name, {}, (gauges["next_wake_at"] - to_us(now)) / 1_000_000))
        return "\n".join(lines) + "\n"


def _opening(name: str, help_text: str, kind: str) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    if not labels:
        return f"{name} {value}"
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
