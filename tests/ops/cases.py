"""For each alert: what of a healthy daemon's series goes wrong, and when the alert is to fire.

    Case("MisseddQuarantined", {"missedd_actions_quarantined": "3x10"}, minutes=6)

Series are in promtool's notation, a value a minute: `3x10` is 3 eleven times, `0x4 1x4` a first event
in the fifth minute. What takes a day has a value an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric

TARGET: Final = {"job": "missedd", "instance": "127.0.0.1:8081"}
UP: Final = "up"
BEGAN: Final = "process_start_time_seconds"


@dataclass(frozen=True, slots=True)
class Case:
    """`sick` are the series that differ, with their labels as promtool writes them; None is a missing one."""

    alert: str
    sick: Mapping[str, str | None]
    minutes: int
    step: int = 1
    """Minutes from one value, and one look at the rules, to the next."""


def trouble(kind: str) -> str:
    return f'missedd_troubles{{kind="{kind}",subject="voice"}}'


FIRST_EVENT: Final = "0x4 1x4"

CASES: Final = (
    Case("MisseddDown", {UP: "0x5"}, 2),
    Case("MisseddAbsent", {UP: None}, 6),
    Case("MisseddNotReady", {"missedd_ready": "0x5"}, 2),
    Case("MisseddRestarting", {BEGAN: "0+60x10"}, 6),
    Case("MisseddFilesNearLimit", {"process_open_fds": "7000x10", "process_max_fds": "8192x10"}, 6),
    Case("MisseddClockStepped", {"missedd_clock_steps_total": FIRST_EVENT}, 6),
    Case("MisseddLogLinesLost", {"missedd_log_lines_lost_total": FIRST_EVENT}, 6),
    Case("MisseddNoLeader", {"missedd_leader": "0x5"}, 2),
    Case("MisseddNodeVanished", {"missedd_nodes_vanished": "1x10"}, 6),
    Case("MisseddClockSkew", {"missedd_clock_skew_seconds": "-0.6x5"}, 3),
    Case("MisseddNoSynchronousStandby", {"missedd_synchronous_standby": "0x10"}, 6),
    Case("MisseddConfigurationsDiffer", {"missedd_node_configurations": "2x40"}, 31),
    Case("MisseddCommitFailures", {"missedd_commit_failures_total": FIRST_EVENT}, 6),
    Case("MisseddDiskNearlyFull", {"missedd_disk_free_bytes": "900000000x10"}, 6),
    Case("MisseddDiskFillsUp", {"missedd_disk_free_bytes": "100000000000-100000000x150"}, 130),
    Case("MisseddQuarantined", {"missedd_actions_quarantined": "3x10"}, 6),
    Case("MisseddCallsRefused", {'missedd_refused_requests_total{status="503"}': FIRST_EVENT}, 6),
    Case(
        "MisseddSlowAnswers",
        {
            f'missedd_acknowledgement_seconds_bucket{{le="{le}"}}': "0+60x10"
            for le in ("2.5", "5.0", "10.0", "+Inf")
        },
        8,
    ),
    Case("MisseddWrongAddress", {'missedd_refused_requests_total{status="404"}': "0+5x10"}, 6),
    Case("MisseddUnknownExophone", {'missedd_calls_total{verdict="unknown-exophone"}': FIRST_EVENT}, 6),
    Case("MisseddWebhooksMissing", {'missedd_recovered_calls_total{verdict="accepted"}': "0x60 1x20"}, 70),
    Case("MisseddNoCalls", {"missedd_last_webhook_timestamp_seconds": "-86400x5"}, 1),
    Case("MisseddProviderUnreachable", {trouble("provider-unreachable"): "1x5"}, 2),
    Case("MisseddProviderRefuses", {trouble("provider-refuses"): "1x5"}, 1),
    Case("MisseddExpiring", {trouble("expiring"): "1x5"}, 1),
    Case("MisseddQueueOverdue", {'missedd_oldest_due_seconds{kind="callback"}': "301x10"}, 6),
    Case("MisseddBudgetExhausted", {'missedd_budget_used_ratio{lane="voice"}': "1x15"}, 11),
    Case(
        "MisseddRateLimited",
        {'missedd_refusals_total{kind="callback",reason="rate-limited"}': "0+2x10"},
        6,
    ),
    Case("MisseddOutcomesUnknown", {"missedd_actions_unknown": "1x10"}, 6),
    Case(
        "MisseddSmsMisconfigured", {'missedd_sms_misconfigured{campaign="admissions",code="23185"}': "1x5"}, 1
    ),
    Case("MisseddWebhookFailing", {trouble("webhook-failing"): "1x5"}, 1),
    Case("MisseddWebhooksParked", {"missedd_webhooks_parked": "1x10"}, 6),
    Case("MisseddAgentsAbsent", {"missedd_agents_absent": "1x10"}, 6),
    Case("MisseddToldEarly", {'missedd_told_early{campaign="admissions"}': "1x5"}, 1),
    Case(
        "MisseddPausedForLong",
        {
            'missedd_campaign_paused{campaign="admissions"}': "1x25",
            "missedd_last_webhook_timestamp_seconds": "0+3600x25",
        },
        24 * 60,
        step=60,
    ),
)


STEPS: Final = tuple({case.step: None for case in CASES})


def tests(families: list[Metric], rules: str, step: int) -> dict[str, object]:
    """The cases of a step as a file for `promtool test rules`: each fires its alert alone, health none."""
    healthy = {_named(UP, {}): "1"}
    for family in families:
        for sample in family.samples:
            # Before 1970 it began, so that it has been running for as long as a case lasts.
            value = 0.0 if sample.name == BEGAN else sample.value
            healthy[_named(sample.name, sample.labels)] = str(value)
    # Within the day after which no call is one too few.
    of_health = Case("", {}, min(75, 23 * 60 // step) * step, step)
    return {
        "rule_files": [rules],
        "evaluation_interval": f"{step}m",
        "tests": [_test(case, healthy) for case in (of_health, *CASES) if case.step == step],
    }


def _test(case: Case, healthy: Mapping[str, str]) -> dict[str, object]:
    times = case.minutes // case.step + 1
    series: dict[str, str | None] = {name: f"{value}x{times}" for name, value in healthy.items()}
    unknown = case.sick.keys() - series.keys()
    if unknown:
        raise KeyError(f"{case.alert}: no such series: {', '.join(sorted(unknown))}")
    series |= case.sick
    return {
        "name": case.alert or "a daemon that is well",
        "interval": f"{case.step}m",
        "input_series": [
            {"series": _on_target(name), "values": values} for name, values in series.items() if values
        ],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{case.minutes}m",
                "exp_samples": [{"labels": f'{{alertname="{case.alert}"}}', "value": 1}]
                if case.alert
                else [],
            }
        ],
    }


def _named(name: str, labels: Mapping[str, str]) -> str:
    if not labels:
        return name
    return f"{name}{{{','.join(f'{key}="{value}"' for key, value in labels.items())}}}"


def _on_target(series: str) -> str:
    """A series with the labels that Prometheus adds."""
    name, _, labels = series.rstrip("}").partition("{")
    target = ",".join(f'{key}="{value}"' for key, value in TARGET.items())
    return f"{name}{{{target}{',' if labels else ''}{labels}}}"
