"""The results of a load: computed from the tally, as JSON, as a table, and as an HDR plot file."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table

from simulator.load.tally import MAX_LATENCY_US, LoadTally

PERCENTILES: Final[Mapping[str, float]] = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9}
SIGNIFICANT_DIGITS: Final = 3
"""Significant digits of a latency: its error is at most a thousandth of its value."""

GENERATOR_LATE_MS: Final = 10.0
"""If one in a hundred requests leaves later than this although connections were free, the results may
measure the generator itself."""


@dataclass(frozen=True, slots=True)
class LoadResults:
    """The results. Times are in milliseconds, rates in calls per second."""

    took_s: float
    planned: int
    sent: int
    answered: int
    errors: int
    dropped: int
    planned_rate: float
    answered_rate: float
    latency_ms: Mapping[str, float]
    """From the planned instant to the reply, by percentile, with `max`."""
    start_ms: Mapping[str, float]
    """From the planned instant to the sending."""
    statuses: Mapping[str, int]
    verdicts: Mapping[str, int]
    lost: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def load_results(tally: LoadTally) -> LoadResults:
    took_s = max(tally.took_s, 1e-9)
    return LoadResults(
        took_s=round(tally.took_s, 3),
        planned=tally.planned,
        sent=tally.sent,
        answered=tally.answered,
        errors=tally.errors,
        dropped=tally.dropped,
        planned_rate=round(tally.planned / took_s, 1),
        answered_rate=round(tally.answered / took_s, 1),
        latency_ms=percentiles(tally.latencies_us),
        start_ms=percentiles(tally.send_delays_us),
        statuses={str(status): n for status, n in sorted(tally.statuses.items())},
        verdicts={verdict or "none": n for verdict, n in tally.verdicts.most_common()},
        lost=dict(tally.failures.most_common()),
    )


def histogram(latencies_us: array[int]) -> HdrHistogram:
    """Return an HDR histogram in microseconds. Equal values are recorded together, which is much faster."""
    made = HdrHistogram(1, MAX_LATENCY_US, SIGNIFICANT_DIGITS)
    for value, count in Counter(latencies_us).items():
        made.record_value(value, count)
    return made


def percentiles(latencies_us: array[int]) -> dict[str, float]:
    """Return percentiles in milliseconds; empty without latencies."""
    if not latencies_us:
        return {}
    made = histogram(latencies_us)
    found = {name: made.get_value_at_percentile(at) / 1000 for name, at in PERCENTILES.items()}
    # A bucket's upper edge may be above the largest value.
    longest = max(latencies_us) / 1000
    return {name: min(value, longest) for name, value in found.items()} | {"max": longest}


def write_hdr(path: Path, latencies_us: array[int]) -> None:
    """Write the percentile distribution in milliseconds, in the format of HdrHistogram's plotter."""
    made, out = histogram(latencies_us), BytesIO()
    made.output_percentile_distribution(out, 1000.0)
    # The package scales every value except the deviation.
    unscaled, scaled = (f"StdDeviation   = %12.{SIGNIFICANT_DIGITS}f" % value for value in _deviations(made))
    path.write_text(out.getvalue().decode("ascii").replace(unscaled, scaled), "ascii")


def _deviations(made: HdrHistogram) -> tuple[float, float]:
    return made.get_stddev(), made.get_stddev() / 1000


def print_results(console: Console, results: LoadResults) -> None:
    console.print(
        f"{results.planned:,} deliveries planned, {results.sent:,} sent, {results.answered:,} answered in "
        f"{results.took_s:,.1f} s: {results.answered_rate:,.0f}/s"
    )
    if results.latency_ms:
        times = Table("ms", *(f"[bold]{name}" for name in results.latency_ms), box=None, pad_edge=False)
        times.add_row("planned to answered", *map(_ms, results.latency_ms.values()))
        times.add_row("planned to sent", *map(_ms, results.start_ms.values()))
        for column in times.columns[1:]:
            column.justify = "right"
        console.print(times)
    for name, counts in (
        ("status", results.statuses),
        ("verdict", results.verdicts),
        ("no reply", results.lost),
    ):
        if counts:
            # A server's verdicts may contain brackets, which rich would take for markup.
            words = ", ".join(f"{key} {count:,}" for key, count in counts.items())
            console.print(f"{name}: {words}", markup=False, soft_wrap=True)
    console.print(f"errors {results.errors:,}, dropped {results.dropped:,}")
    if not results.dropped and results.start_ms.get("p99", 0.0) > GENERATOR_LATE_MS:
        console.print(
            "note: requests left late; with more connections or a generator with a core of its own the "
            "server would have been asked in time",
            soft_wrap=True,
        )


def _ms(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
