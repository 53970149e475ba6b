"""Holding a scenario's expectations against what happened, and saying plainly where they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from simulator.harness.measures import measure
from simulator.harness.mismatch_text import told
from simulator.harness.scenario_run import Stage
from simulator.scenario.scenario import Expectation, Scenario, ScenarioMistake

SHOWN = 8
"""How many of the things that were counted a failure shows."""

STORIES = 3
"""How many callers' stories a failure tells when it names nobody."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met: what was expected, what happened, and the calls concerned."""

    expected: str
    happened: str
    trace: str

    def __str__(self) -> str:
        return f"expected {self.expected}\nhappened {self.happened}\n{self.trace}".rstrip()


async def check(scenario: Scenario, stage: Stage) -> list[Failure]:
    """Every expectation that is not met. Raises ScenarioMistake for one that cannot be checked."""
    failures = [Failure(expected, happened, "") for expected, happened in stage.surprises]
    start = scenario.start.astimezone(UTC)
    names = {person.number: name for name, person in stage.people.items()}
    for expected in scenario.expectations:
        where = f"{scenario.path}: {expected.key}"
        found = await measure(expected, stage, start, where)
        if not is_met(expected, found, where):
            why = f" ({expected.because})" if expected.because else ""
            happened = _happened(found, lambda thing: told(thing, start, names))
            failures.append(
                Failure(f"{expected}{why}  [{expected.key}]", happened, await _trace(expected, stage))
            )
    return failures


def is_met(expected: Expectation, found: Any, where: str) -> bool:
    """Whether a bound holds for a value, or for the number of things found."""
    value = len(found) if isinstance(found, list) and expected.bound != "equals" else found
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
        raise ScenarioMistake(f"{where}.{expected.bound}: cannot be compared with {value!r}") from failure
    raise AssertionError(f"{expected.bound} is listed as a bound but cannot be held")


def _happened(found: Any, tell: Callable[[Any], str]) -> str:
    if not isinstance(found, list):
        return tell(found)
    lines = [f"{len(found)}", *(f"    {tell(thing)}" for thing in found[:SHOWN])]
    if len(found) > SHOWN:
        lines.append(f"    … and {len(found) - SHOWN} more")
    return "\n".join(lines)


async def _trace(expected: Expectation, stage: Stage) -> str:
    """The stories of the callers concerned, as the daemon tells them."""
    if "person" in expected.filters:
        numbers = [stage.people[expected.filters["person"]].number]
    else:
        numbers = list(dict.fromkeys(each.number for each in stage.exchange.truth.inbound))[:STORIES]
    stories = [await stage.host.stories(number) for number in numbers]
    dropped = [text for text in stage.exchange.truth.dropped_texts if text.number in numbers]
    stories += [f"The SMS applet sent nothing for call {text.call_sid}: {text.why}" for text in dropped]
    return "\n".join(stories)
