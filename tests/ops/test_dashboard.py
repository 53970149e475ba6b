"""The dashboard that we ship: it asks for metrics that exist, in a language that Prometheus understands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.ops.exposition import DASHBOARD, families, sample_names
from tests.ops.promtool import needs_promtool, promtool

PANELS: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
TARGETS: list[dict[str, str]] = [target for panel in PANELS for target in panel.get("targets", ())]


def test_dashboard_queries_name_existing_metrics_and_labels() -> None:
    labels = {name for family in families() for sample in family.samples for name in sample.labels}
    for target in TARGETS:
        named = set(re.findall(r"\b(?:missedd|process)_[a-z_]+", target["expr"]))
        assert named, target
        assert named <= sample_names(), named - sample_names()
        wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert wanted <= labels, target


def test_dashboard_shows_every_metric_but_the_redundant_ones() -> None:
    shown = " ".join(target["expr"] for target in TARGETS)
    left_out = {
        # Seen in the shape of what is shown, or of interest to alerts and questions only.
        *("missedd_reports", "missedd_suppressions", "missedd_clock_steps", "missedd_next_wake_seconds"),
        *("missedd_actions_lost", "missedd_budget_per_minute", "missedd_budget_paused_seconds"),
        *("missedd_disk_bytes", "process_virtual_memory_bytes"),
    }
    assert {family.name for family in families() if family.name not in shown} == left_out


def test_dashboard_panels_do_not_overlap() -> None:
    taken = set[tuple[int, int]]()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


@needs_promtool
def test_prometheus_understands_its_expressions(tmp_path: Path) -> None:
    rules = [
        {
            "record": f"panel:{number}",
            "expr": target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*"),
        }
        for number, target in enumerate(TARGETS)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    promtool("check", "rules", "--lint=none", str(file))
