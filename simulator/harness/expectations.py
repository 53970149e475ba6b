"""Compares a scenario's expectations with what happened, and describes each difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from simulator.harness.measures import take_measure
from simulator.harness.mismatch_text import describe
from simulator.harness.scenario_run import Simulation
from simulator.scenario.scenario import Expectation, Scenario, ScenarioError

MAX_ITEMS_SHOWN = 8
"""A failure shows at most this many of the counted items."""

MAX_CALLERS_EXPLAINED = 3
"""A failure that names no person explains the calls of at most this many callers."""


@dataclass(frozen=True, slots=True)
class FailedExpectation:
    """An expectation that was not met: what was expected, what happened, and the calls concerned."""

    expected: str
    happened: str
    trace: str

    def __str__(self) -> str:
        return f"expected {self.expected}\nhappened {self.happened}\n{self.trace}".rstrip()


async def check_expectations(scenario: Scenario, simulation: Simulation) -> list[FailedExpectation]:
    """Return every expectation that is not met. Raises ScenarioError for one that cannot be checked."""
    failures = [
        FailedExpectation(expected, happened, "") for expected, happened in simulation.unexpected_answers
    ]
    start = scenario.start.astimezone(UTC)
    names = {person.number: name for name, person in simulation.people.items()}
    for expected in scenario.expectations:
        where = f"{scenario.path}: {expected.key}"
        found = await take_measure(expected, simulation, start, where)
        if not is_met(expected, found, where):
            why = f" ({expected.because})" if expected.because else ""
            happened = _measured_text(found, lambda thing: describe(thing, start, names))
            failures.append(
                FailedExpectation(
                    f"{expected}{why}  [{expected.key}]",
                    happened,
                    await _explain_callers(expected, simulation),
                )
            )
    return failures


def is_met(expected: Expectation, measured: Any, where: str) -> bool:
    """Whether a bound holds for a value, or for the number of items found."""
    value = len(measured) if isinstance(measured, list) and expected.bound != "equals" else measured
    wanted = expected.value
    try:
        match expected.bound:
            case "exactly" | "equals":
                return bool(value == wanted)
            case "at_least":
                return bool(value >= wanted)
            case "at_most":
                return bool(value <= wanted)
            case "between":
                low, high = wanted
                return bool(low <= value <= high)
            case "never":
                return not value
    except (TypeError, ValueError) as failure:
        raise ScenarioError(f"{where}.{expected.bound}: cannot be compared with {value!r}") from failure
    raise AssertionError(f"{expected.bound} is listed as a bound but is not implemented")


def _measured_text(measured: Any, describe: Callable[[Any], str]) -> str:
    if not isinstance(measured, list):
        return describe(measured)
    lines = [f"{len(measured)}", *(f"    {describe(thing)}" for thing in measured[:MAX_ITEMS_SHOWN])]
    if len(measured) > MAX_ITEMS_SHOWN:
        lines.append(f"    … and {len(measured) - MAX_ITEMS_SHOWN} more")
    return "\n".join(lines)


async def _explain_callers(expected: Expectation, simulation: Simulation) -> str:
    """Explain the calls of the callers concerned, as `missedd why` does."""
    if "person" in expected.filters:
        numbers = [simulation.people[expected.filters["person"]].number]
    else:
        numbers = list(dict.fromkeys(ring.number for ring in simulation.exchange.ground_truth.inbound))[
            :MAX_CALLERS_EXPLAINED
        ]
    explanations = [await simulation.daemons.explain_calls(number) for number in numbers]
    dropped = [text for text in simulation.exchange.ground_truth.dropped_texts if text.number in numbers]
    explanations += [f"The SMS applet sent nothing for call {text.call_sid}: {text.why}" for text in dropped]
    return "\n".join(explanations)
