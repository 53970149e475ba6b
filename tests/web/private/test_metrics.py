"""What is counted, and the text of it."""

from __future__ import annotations

import pytest

from missedd.core.actions.possible_outcomes import POSSIBLE_OUTCOMES, REQUEST_FAILURES, REQUEST_RESULTS
from missedd.core.model import Kind, Verdict
from missedd.core.policy import Campaign
from missedd.exotel.response_codes import RULES, Api
from missedd.web.private.metrics import REJECTION_STATUSES, Metrics
from tests.core.campaigns import policy
from tests.ops.exposition import POLICY, families, text
from tests.ops.promtool import needs_promtool, promtool


def series(metrics: Metrics, name: str) -> list[dict[str, str]]:
    return [
        sample.labels
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    ]


def test_every_counter_has_its_series_from_the_start() -> None:
    metrics = Metrics(POLICY)
    counters = [family for family in metrics.registry.collect() if family.type == "counter"]
    for family in counters:
        if family.name.startswith("missedd_"):
            assert family.samples, family.name
            assert {sample.value for sample in family.samples} == {0.0}
    assert series(metrics, "missedd_calls_total") == [{"verdict": verdict} for verdict in Verdict]
    by_campaign = series(metrics, "missedd_campaign_calls_total")
    assert {"campaign": "sales", "verdict": "accepted"} in by_campaign
    assert {"campaign": "sales", "verdict": "unknown-exophone"} not in by_campaign
    assert {"kind": "callback", "outcome": "unknown"} in series(metrics, "missedd_actions_closed_total")
    assert {"kind": "webhook", "outcome": "unknown"} not in series(metrics, "missedd_actions_closed_total")
    assert len(series(metrics, "missedd_attempts_total")) == 3 * len(REQUEST_RESULTS)
    assert {each["campaign"] for each in series(metrics, "missedd_agent_misses_total")} == {"sales"}
    assert len(series(metrics, "missedd_refused_requests_total")) == len(REJECTION_STATUSES)


def test_counting_begins_no_second_series() -> None:
    metrics = Metrics(POLICY)
    before = len(series(metrics, "missedd_refused_requests_total"))
    metrics.refused.add(404)
    metrics.refused.add("404")
    assert metrics.refused.value(404) == 2
    assert len(series(metrics, "missedd_refused_requests_total")) == before
    metrics.refused.add(499)
    assert metrics.refused.value(499) == 1
    with pytest.raises(ValueError, match="label"):
        metrics.refused.add()


@pytest.mark.parametrize(("api", "kind"), [(Api.VOICE, Kind.CALLBACK), (Api.SMS, Kind.SMS)])
def test_every_refusal_of_the_provider_has_its_series(api: Api, kind: Kind) -> None:
    assert {rule.reason for rule in RULES[api]} <= set(REQUEST_FAILURES[kind])


def test_every_kind_that_is_sent_has_its_outcomes() -> None:
    assert POSSIBLE_OUTCOMES.keys() == REQUEST_FAILURES.keys()
    for outcomes in POSSIBLE_OUTCOMES.values():
        assert len(set(outcomes)) == len(outcomes)


@pytest.mark.real
@needs_promtool
def test_promtool_takes_the_exposition() -> None:
    promtool("check", "metrics", text=text())


def test_each_metric_says_what_it_is() -> None:
    for family in families():
        assert family.documentation.endswith("."), family.name


def test_a_campaign_costs_a_dozen_series_at_most() -> None:
    def count(*campaigns: Campaign) -> int:
        return sum(len(family.samples) for family in Metrics(policy(*campaigns)).registry.collect())

    assert 0 < count(*POLICY.campaigns) - count(POLICY.campaigns[0]) <= 12
