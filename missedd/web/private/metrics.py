"""Counters of events since the start, and the exposition text for Prometheus.

Every counter has all its series from the start, with the value 0. Prometheus sees an increase only between
two samples of a series, so an alert would miss the first event of a series that begins with that event.
Values that can be queried at any time, such as waiting actions, are gauges: see
`missedd.web.private.metric_gauges`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, product
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Counter as LibraryCounter

from missedd.core.actions.possible_outcomes import (
    CLOSED_AT_ADMISSION,
    POSSIBLE_OUTCOMES,
    REQUEST_FAILURES,
    REQUEST_RESULTS,
)
from missedd.core.model import LANE_BY_KIND, Verdict
from missedd.core.policy import Policy
from missedd.core.reasons import AGENT_MISS_REASONS
from missedd.store.reads.reader import StoreGauges
from missedd.web.private.counters import Histogram, LabelledCounter
from missedd.web.private.metric_gauges import DaemonGauges, metric_families

REJECTION_STATUSES: Final = (400, 404, 405, 408, 413, 414, 417, 431, 501, 503, 505)
"""The HTTP statuses with which the public listener rejects requests."""

# process_start_time_seconds already has the start time; `_created` would repeat it for each series.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """All counters and histograms, and `exposition`, which returns them as text."""

    def __init__(self, policy: Policy | None = None) -> None:
        """The campaigns of `policy` have series from the start."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        campaigns = policy.campaigns if policy else ()
        names = [campaign.name for campaign in campaigns]
        with_agents = [each.name for each in campaigns if each.callback and each.callback.agents]
        self.calls = self._product_counter(
            "missedd_calls_total", "Missed calls answered, by verdict.", {"verdict": Verdict}
        )
        self.campaign_calls = self._product_counter(
            "missedd_campaign_calls_total",
            "Missed calls answered, by campaign and verdict; those to no campaign are not among them.",
            {
                "campaign": names,
                "verdict": [each for each in Verdict if each is not Verdict.UNKNOWN_EXOPHONE],
            },
        )
        self.recovered = self._product_counter(
            "missedd_recovered_calls_total",
            "Missed calls without a webhook, found in the provider's list, by verdict.",
            {"verdict": Verdict},
        )
        self.reports = self._product_counter(
            "missedd_reports_total", "Status reports taken in, by kind.", {"kind": ("call", "sms")}
        )
        self.refused = self._product_counter(
            "missedd_refused_requests_total",
            "Requests that the public listener refused, by HTTP status.",
            {"status": REJECTION_STATUSES},
        )
        self.attempts = self._product_counter(
            "missedd_attempts_total",
            "Requests sent for an action, by kind and result.",
            {"kind": LANE_BY_KIND, "result": REQUEST_RESULTS},
        )
        self.refusals = self._new_counter(
            "missedd_refusals_total",
            "Requests of an action that were refused or whose answer was lost, by kind and reason.",
            ("kind", "reason"),
            ((kind, reason) for kind, reasons in REQUEST_FAILURES.items() for reason in reasons),
        )
        self.closed = self._new_counter(
            "missedd_actions_closed_total",
            "Actions that ended after they had waited or gone out, by kind and outcome.",
            ("kind", "outcome"),
            ((kind, outcome) for kind, outcomes in POSSIBLE_OUTCOMES.items() for outcome in outcomes),
        )
        self.closed_at_once = self._new_counter(
            "missedd_actions_closed_at_once_total",
            "Actions that ended as they were planned, with their call, by kind and outcome.",
            ("kind", "outcome"),
            CLOSED_AT_ADMISSION.values(),
        )
        self.agent_misses = self._product_counter(
            "missedd_agent_misses_total",
            "Callbacks that only rang an agent, who did not come, by campaign and reason.",
            {"campaign": with_agents, "reason": AGENT_MISS_REASONS},
        )
        self.clock_steps = LibraryCounter(
            "missedd_clock_steps_total", "Times that the machine's clock was set.", registry=self.registry
        )
        self.acknowledgement = Histogram(
            self.registry,
            "missedd_acknowledgement_seconds",
            "From a whole request to its durable answer.",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
        )
        self.lateness = Histogram(
            self.registry,
            "missedd_lateness_seconds",
            "From an action's due instant to its request.",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0),
        )

    def _product_counter(
        self, name: str, help_text: str, labels: Mapping[str, Iterable[object]]
    ) -> LabelledCounter:
        """A counter with a series for each combination of label values."""
        return self._new_counter(name, help_text, labels, product(*labels.values()))

    def _new_counter(
        self, name: str, help_text: str, labels: Iterable[str], known: Iterable[tuple[object, ...]]
    ) -> LabelledCounter:
        return LabelledCounter(self.registry, name, help_text, labels, known)

    def exposition(
        self, gauges: StoreGauges | None, now: datetime, daemon: DaemonGauges | None = None
    ) -> str:
        """The exposition format, version 0.0.4; `gauges` as the store told them at `now`, if it did."""
        return generate_latest(_ScrapeCollector(self.registry, metric_families(gauges, daemon, now))).decode()


class _ScrapeCollector:
    """Collects the counters, then the gauges of one instant."""

    def __init__(self, counted: CollectorRegistry, gauges: Iterable[Metric]) -> None:
        self._counted = counted
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        return chain(self._counted.collect(), self._gauges)
