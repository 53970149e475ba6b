"""What happened, in order, for somebody who looks into a failure: the truth and the daemon's log as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from simulator.harness.scenario_run import Simulation
from simulator.invariants.promise_results import Violation

MAX_LINES = 30
"""Lines a failure shows."""

type TraceLine = tuple[datetime, str]


def failure_trace(simulation: Simulation, violation: Violation) -> list[str]:
    """The last lines that name what the violation is about, or the last of all if it names nothing."""
    lines = [
        f"{at:%d %H:%M:%S.%f} {text}"
        for at, text in sorted(
            [*_exchange_lines(simulation), *_log_lines(simulation)], key=lambda line: line[0]
        )
    ]
    wanted = tuple(_search_texts(violation.about))
    concerned = [line for line in lines if any(each in line for each in wanted)]
    return (concerned or lines)[-MAX_LINES:]


def _search_texts(about: Iterable[str]) -> Iterator[str]:
    """How the truth and the log spell a thing: the log shows four digits of a number."""
    for each in about:
        if each.startswith("+"):
            yield f"…{each[-4:]}"
        if each.startswith("action "):
            yield f'"action": {each.removeprefix("action ")},'
            yield f"{each},"
        else:
            yield each


def _exchange_lines(simulation: Simulation) -> Iterator[TraceLine]:
    truth = simulation.exchange.ground_truth
    for ring in truth.inbound:
        yield ring.rung_at, f"    rung {ring.call_sid} by {ring.number} to {ring.exophone}"
    for post in truth.deliveries:
        what = f"    posted {post.kind} {post.call_sid}, try {post.attempt}"
        yield post.at, f"{what}: {post.status or post.failure} {post.verdict or ''}"
    for request in truth.api_requests:
        made = truth.call(request.sid or "") or truth.text(request.sid or "")
        fields = getattr(made, "fields", {})
        action = f" for action {fields['CustomField']}," if "CustomField" in fields else ""
        fault = f" ({request.fault} {request.fault_when})" if request.fault else ""
        yield request.at, f"    asked {request.target}{action} {request.sid or ''}: {request.status}{fault}"
    for text in truth.dropped_texts:
        yield text.at, f"    no SMS by the applet for {text.call_sid}: {text.why}"
    for call in truth.connects:
        if call.ended_at is not None:
            yield call.ended_at, f"    call {call.sid} ended {call.status}"


def _log_lines(simulation: Simulation) -> Iterator[TraceLine]:
    """The log's lines in true time: its own is the daemon's clock, which may have been set in between."""
    spans = simulation.clock.offset_history()
    index = 0
    for line in simulation.host.log_lines():
        shown_at = datetime.fromisoformat(line.pop("at"))
        while index + 1 < len(spans) and shown_at - spans[index][1] > spans[index + 1][0]:
            index += 1
        yield shown_at - spans[index][1] + timedelta(microseconds=999), _format_log_line(line)


def _format_log_line(line: dict[str, object]) -> str:
    event = line.pop("event")
    line.pop("level")
    return f"{event} {json.dumps(line, ensure_ascii=False)}"
