"""The table of metrics in docs/metrics.md: made from what the exposition says of itself.

python -m tests.ops.metrics_table     writes it
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Metric

from tests.ops.exposition import ROOT, families

FILE: Final = ROOT / "docs" / "metrics.md"
HEAD: Final = """# Metrics

After this page you know what each metric of `GET /metrics` on the private listener means. The format is
Prometheus' text format. A counter begins at 0 with each start, and has a series for every label value that
is known in advance, so that `increase()` sees the first event. A gauge whose value is not known has no
sample. Alerts on these metrics are in [`missedd.rules.yml`](../ops/prometheus/missedd.rules.yml), explained
in the [runbook](runbook.md). [`missedd.json`](../ops/grafana/missedd.json) is a dashboard for Grafana.

"""


def table() -> str:
    own_first = sorted(families(), key=lambda family: not family.name.startswith("missedd_"))
    rows = [_row(family) for family in own_first]
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows]) + "\n"


def _row(family: Metric) -> str:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = {label: None for sample in family.samples for label in sample.labels if label != "le"}
    named = ", ".join(f"`{label}`" for label in labels)
    return f"| `{name}` | {family.type} | {named} | {family.documentation} |"


if __name__ == "__main__":
    FILE.write_text(HEAD + table(), "utf-8")
