"""The alert rules that we ship: each fires for what it is for, and has its section in the runbook."""

from __future__ import annotations

import json
import re
from pathlib import Path

from missedd.core.upstream.trouble import TroubleKind
from tests.ops.cases import CASES, STEPS, tests
from tests.ops.exposition import RULES, RUNBOOK, alerts, families, sample_names, with_all_switched_on
from tests.ops.promtool import needs_promtool, promtool

tests.__test__ = False  # type: ignore[attr-defined] # it makes promtool's, and is none of pytest's


@needs_promtool
def test_promtool_takes_the_rules() -> None:
    promtool("check", "rules", str(RULES))


@needs_promtool
def test_each_alert_fires_for_what_it_is_for_and_no_other_does(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(with_all_switched_on(), "utf-8")
    for step in STEPS:
        cases = tmp_path / f"every-{step}-minutes.yml"
        cases.write_text(json.dumps(tests(families(), str(rules), step)), "utf-8")
        promtool("test", "rules", str(cases))


def test_each_alert_has_its_case() -> None:
    assert [case.alert for case in CASES] == alerts()
    assert len(set(alerts())) == len(alerts())


def test_each_alert_has_its_section_in_the_runbook_and_each_section_its_alert() -> None:
    assert re.findall(r"^### (\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE) == alerts()


def test_each_alert_says_how_bad_it_is_what_happened_and_what_to_do() -> None:
    blocks = with_all_switched_on().split("- alert: ")[1:]
    assert len(blocks) == len(alerts())
    for name, block in zip(alerts(), blocks, strict=True):
        assert re.search(r"^ +labels: \{severity: (critical|warning)\}$", block, re.MULTILINE), name
        assert re.search(r"^ +summary: \S", block, re.MULTILINE), name
        assert re.search(r"^ +description: \S", block, re.MULTILINE), name
        assert f"runbook: docs/runbook.md#{name.lower()}\n" in block, name


def test_each_kind_of_trouble_has_an_alert() -> None:
    rules = RULES.read_text("utf-8")
    for kind in TroubleKind:
        assert f'expr: missedd_troubles{{kind="{kind}"}} == 1\n' in rules, kind


def test_alert_rules_name_existing_metrics() -> None:
    known = sample_names() | {"up"}
    expressions = re.findall(r"expr: (.*?)\n +(?:for|labels):", with_all_switched_on(), re.DOTALL)
    assert len(expressions) == len(alerts())
    for expression in expressions:
        named = set(re.findall(r"\b(?:missedd|process)_[a-z_]+|\bup\b", expression))
        assert named, expression
        assert named <= known, named - known
