"""Merges the exchange's ground truth and the daemon's log in order of time, to explain a failure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from simulator.harness.daemon_host import DaemonHost
from simulator.harness.scenario_run import Simulation
from simulator.invariants.promise_results import Violation

MAX_LINES = 30
"""Lines a failure shows."""

type TraceLine = tuple[datetime, str]


def failure_trace(simulation: Simulation, violation: Violation) -> list[str]:
    """Return the last lines about the things that the violation names, or the last lines of all."""
    lines = [
        f"{at:%d %H:%M:%S.%f} {text}"
        for at, text in sorted(
            [*_exchange_lines(simulation), *_log_lines(simulation)], key=lambda line: line[0]
        )
    ]
    wanted = tuple(_search_texts(violation.about))
    concerned = [line for line in lines if any(text in line for text in wanted)]
    return (concerned or lines)[-MAX_LINES:]


def _search_texts(about: Iterable[str]) -> Iterator[str]:
    """How the ground truth and the log spell a name. Example: the log shows `…3210` for a number."""
    for name in about:
        if name.startswith("+"):
            yield f"…{name[-4:]}"
        if name.startswith("action "):
            yield f'"action": {name.removeprefix("action ")},'
            yield f"{name},"
        else:
            yield name


def _exchange_lines(simulation: Simulation) -> Iterator[TraceLine]:
    ground_truth = simulation.exchange.ground_truth
    for ring in ground_truth.inbound:
        yield ring.rung_at, f"    rung {ring.call_sid} by {ring.number} to {ring.exophone}"
    for post in ground_truth.deliveries:
        what = f"    posted {post.kind} {post.call_sid}, try {post.attempt}"
        yield post.at, f"{what}: {post.status or post.failure} {post.verdict or ''}"
    for request in ground_truth.api_requests:
        made = ground_truth.call(request.sid or "") or ground_truth.text(request.sid or "")
        fields = getattr(made, "fields", {})
        action = f" for action {fields['CustomField']}," if "CustomField" in fields else ""
        fault = f" ({request.fault} {request.fault_when})" if request.fault else ""
        yield request.at, f"    asked {request.target}{action} {request.sid or ''}: {request.status}{fault}"
    for text in ground_truth.dropped_texts:
        yield text.at, f"    no SMS by the applet for {text.call_sid}: {text.why}"
    for call in ground_truth.connects:
        if call.ended_at is not None:
            yield call.ended_at, f"    call {call.sid} ended {call.status}"


def _log_lines(simulation: Simulation) -> Iterator[TraceLine]:
    """Return the logs' lines with true times: a log has the times of its daemon's clock, which may step."""
    hosts = simulation.daemons.hosts
    for number, host in enumerate(hosts, 1):
        prefix = f"node {number}: " if len(hosts) > 1 else ""
        for at, line in _with_true_times(host):
            yield at, f"{prefix}{_format_log_line(line)}"


def _with_true_times(host: DaemonHost) -> Iterator[tuple[datetime, dict[str, object]]]:
    offsets = host.clock.offset_history()
    index = 0
    for line in host.log_lines():
        shown_at = datetime.fromisoformat(line.pop("at"))
        while index + 1 < len(offsets) and shown_at - offsets[index][1] > offsets[index + 1][0]:
            index += 1
        yield shown_at - offsets[index][1] + timedelta(microseconds=999), line


def _format_log_line(line: dict[str, object]) -> str:
    event = line.pop("event")
    line.pop("level")
    return f"{event} {json.dumps(line, ensure_ascii=False)}"
