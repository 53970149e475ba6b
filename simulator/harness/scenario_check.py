"""Checks a scenario's names against the daemon it configures: verdicts, reasons, campaigns, its API.

Example: `never = true` on a verdict that the daemon does not have would always pass. The reader of
scenario files does not know these names, as the simulator is independent of the daemon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from missedd.config.loader import Settings
from missedd.core.model import Kind, Outcome, State, Verdict
from missedd.core.reasons import Reason
from missedd.log.logger import Event
from missedd.web.api.openapi import build_document
from missedd.web.api.unknown_parameters import query_parameters
from simulator.base.choices import suggestion_text, unknown_value_text
from simulator.exchange.model.formats import parse_number
from simulator.harness.run_setup import daemon_settings
from simulator.scenario.scenario import Scenario, ScenarioError
from simulator.scenario.schema import MEASURE_FILTERS, TIMELINE_EVENTS, NameReference
from simulator.scenario.value_readers import PLACEHOLDER

_API = build_document()
_API_PARAMETERS = query_parameters(_API)
_TYPO_SIMILARITY = 0.84
"""In difflib's measure: eleven of thirteen characters are the same."""

_CALL_KINDS, _SENT_KINDS = [Kind.CALLBACK], [Kind.CALLBACK, Kind.SMS, Kind.WEBHOOK]
_KINDS_BY_OUTCOME: Mapping[str, list[Kind]] = {
    Outcome.ANSWERED: _CALL_KINDS,
    Outcome.NO_ANSWER: _CALL_KINDS,
    Outcome.BUSY: _CALL_KINDS,
    Outcome.FAILED: _SENT_KINDS,
    Outcome.DELIVERED: [Kind.SMS, Kind.WEBHOOK],
    Outcome.HANDED_OVER: [Kind.SMS],
    Outcome.RECORDED: [kind for kind in Kind if kind not in _SENT_KINDS],
}
"""The kinds of action that can have an outcome. Any kind can have an outcome that is not listed here."""

type KnownNames = Mapping[str, list[str]]


def check_scenario(scenario: Scenario) -> None:
    """Raises one ScenarioError that lists all names which the daemon does not know."""
    settings = daemon_settings(scenario, Path())
    known_names = _known_names(settings, scenario)
    mistakes = [
        *_unknown_names(scenario, known_names),
        *_impossible_outcomes(scenario),
        *_invalid_requests(scenario, known_names["campaign"]),
    ]
    if mistakes:
        raise ScenarioError("\n".join(f"{scenario.path}: {mistake}" for mistake in mistakes))


def _known_names(settings: Settings, scenario: Scenario) -> KnownNames:
    policy = settings.policy
    return {
        "verdict": list(Verdict),
        "reason": list(Reason),
        "kind": list(Kind),
        "state": list(State),
        "outcome": list(Outcome),
        "event": list(Event),
        "webhook type": list(_API["webhooks"]),
        "campaign": [campaign.name for campaign in policy.campaigns],
        "exophone": [*policy.exophones, *scenario.exchange.get("exophones", ())],
    }


def _unknown_names(scenario: Scenario, known_names: KnownNames) -> Iterator[str]:
    entries = [(event.key, TIMELINE_EVENTS[event.kind], event.params) for event in scenario.timeline]
    entries += [
        (expected.key, MEASURE_FILTERS[expected.measure], expected.filters)
        for expected in scenario.expectations
    ]
    for key, specs, entry in entries:
        for name, value in entry.items():
            match specs.get(name):
                case NameReference("exophone") if _is_typo(value, known_names["exophone"], scenario):
                    yield f"{key}.{name}: {unknown_value_text(value, known_names['exophone'])}"
                case NameReference(kind) if kind != "exophone" and value not in known_names.get(
                    kind, [value]
                ):
                    yield f"{key}.{name}: {unknown_value_text(value, known_names[kind])}"


def _is_typo(exophone: str, known: list[str], scenario: Scenario) -> bool:
    """Whether a number that no campaign has is a typing error: a digit or two away from a known number.

    A scenario that expects the verdict `unknown-exophone` uses an unknown number on purpose.
    """
    verdicts = [expected.filters.get("verdict") for expected in scenario.expectations]
    number = parse_number(exophone)
    if number is None:
        return True
    near = get_close_matches(number, known, n=1, cutoff=_TYPO_SIMILARITY)
    return number not in known and bool(near) and Verdict.UNKNOWN_EXOPHONE not in verdicts


def _impossible_outcomes(scenario: Scenario) -> Iterator[str]:
    for expected in scenario.expectations:
        kind, outcome = expected.filters.get("kind"), expected.filters.get("outcome", "")
        if kind is not None and kind not in _KINDS_BY_OUTCOME.get(outcome, [kind]):
            yield f"{expected.key}.outcome: no {kind} ever ends as {outcome}"


def _invalid_requests(scenario: Scenario, campaigns: list[str]) -> Iterator[str]:
    """Find requests that the daemon's API always refuses, where the scenario expects no refusal."""
    for event in scenario.timeline:
        if event.kind == "api" and event.params.get("status", 200) < 400:
            yield from _invalid_request(
                f"{event.key}.path", event.params["api"], event.params["path"], campaigns
            )
    for expected in scenario.expectations:
        if "get" in expected.filters:
            yield from _invalid_request(f"{expected.key}.get", "GET", expected.filters["get"], campaigns)


def _invalid_request(key: str, method: str, path: str, campaigns: list[str]) -> Iterator[str]:
    asked = urlsplit(PLACEHOLDER.sub("x", path))
    if not asked.path.startswith("/api/"):
        return  # the OpenAPI document does not describe the console and the metrics
    routes = [route for route, item in _API["paths"].items() if method.lower() in item]
    route = next(
        (route for route in routes if re.fullmatch(PLACEHOLDER.sub("[^/]+", route), asked.path)), None
    )
    if route is None:
        yield f"{key}: the API has no {method} {asked.path}{suggestion_text(asked.path, routes)}"
        return
    parameters = _API_PARAMETERS.get(route, ())
    for name, value in parse_qsl(asked.query, keep_blank_values=True):
        if name not in parameters:
            yield f"{key}: {name}: {unknown_value_text(name, parameters)}"
        elif name == "campaign" and value not in campaigns:
            yield f"{key}: campaign: {unknown_value_text(value, campaigns)}"
