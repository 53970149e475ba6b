"""A scenario's words held against the daemon that it configures: verdicts, reasons, campaigns, its API.

The reader of scenario files knows none of them, as the simulator is independent of the daemon. A
word that the daemon does not have could never be measured, so `never = true` would always hold.
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
"""Of thirteen characters eleven are the same, in difflib's measure."""

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
"""The kinds of action that may have an outcome; any may have those that are not here."""

type KnownNames = Mapping[str, list[str]]


def check_scenario(scenario: Scenario) -> None:
    """Raises ScenarioError for words that the daemon does not know, all of them at once."""
    settings = daemon_settings(scenario, Path())
    words = _known_names(settings, scenario)
    mistakes = [
        *_unknown_names(scenario, words),
        *_impossible_outcomes(scenario),
        *_invalid_requests(scenario, words["campaign"]),
    ]
    if mistakes:
        raise ScenarioError("\n".join(f"{scenario.path}: {mistake}" for mistake in mistakes))


def _known_names(settings: Settings, scenario: Scenario) -> KnownNames:
    policy = settings.policy
    ours = list(policy.exophones)
    return {
        "verdict": list(Verdict),
        "reason": list(Reason),
        "kind": list(Kind),
        "state": list(State),
        "outcome": list(Outcome),
        "event": list(Event),
        "webhook type": list(_API["webhooks"]),
        "campaign": [campaign.name for campaign in policy.campaigns],
        "exophone": [*ours, *scenario.exchange.get("exophones", ())],
    }


def _unknown_names(scenario: Scenario, words: KnownNames) -> Iterator[str]:
    entries = [(each.key, TIMELINE_EVENTS[each.kind], each.params) for each in scenario.timeline]
    entries += [(each.key, MEASURE_FILTERS[each.measure], each.filters) for each in scenario.expectations]
    for key, takes, entry in entries:
        for name, value in entry.items():
            match takes.get(name):
                case NameReference("exophone") if _is_typo(value, words["exophone"], scenario):
                    yield f"{key}.{name}: {unknown_value_text(value, words['exophone'])}"
                case NameReference(of) if of != "exophone" and value not in words.get(of, [value]):
                    yield f"{key}.{name}: {unknown_value_text(value, words[of])}"


def _is_typo(exophone: str, known: list[str], scenario: Scenario) -> bool:
    """Whether a number that no campaign has is a slip of the pen: a digit or two away from one that has.

    Otherwise, or where somebody expects that verdict, the call is meant to lead nowhere.
    """
    expected = [each.filters.get("verdict") for each in scenario.expectations]
    number = parse_number(exophone)
    if number is None:
        return True
    near = get_close_matches(number, known, n=1, cutoff=_TYPO_SIMILARITY)
    return number not in known and bool(near) and Verdict.UNKNOWN_EXOPHONE not in expected


def _impossible_outcomes(scenario: Scenario) -> Iterator[str]:
    for expected in scenario.expectations:
        kind, outcome = expected.filters.get("kind"), expected.filters.get("outcome", "")
        if kind is not None and kind not in _KINDS_BY_OUTCOME.get(outcome, [kind]):
            yield f"{expected.key}.outcome: no {kind} ever ends as {outcome}"


def _invalid_requests(scenario: Scenario, campaigns: list[str]) -> Iterator[str]:
    """Requests to the daemon's API that it could only refuse, where a refusal is not what is expected."""
    for each in scenario.timeline:
        if each.kind == "api" and each.params.get("status", 200) < 400:
            yield from _invalid_request(
                f"{each.key}.path", each.params["api"], each.params["path"], campaigns
            )
    for expected in scenario.expectations:
        if "get" in expected.filters:
            yield from _invalid_request(f"{expected.key}.get", "GET", expected.filters["get"], campaigns)


def _invalid_request(key: str, method: str, path: str, campaigns: list[str]) -> Iterator[str]:
    asked = urlsplit(PLACEHOLDER.sub("x", path))
    if not asked.path.startswith("/api/"):
        return  # the console's and the metrics' are described nowhere
    routes = [route for route, item in _API["paths"].items() if method.lower() in item]
    route = next(
        (route for route in routes if re.fullmatch(PLACEHOLDER.sub("[^/]+", route), asked.path)), None
    )
    if route is None:
        yield f"{key}: the API has no {method} {asked.path}{suggestion_text(asked.path, routes)}"
        return
    taken = _API_PARAMETERS.get(route, ())
    for name, value in parse_qsl(asked.query, keep_blank_values=True):
        if name not in taken:
            yield f"{key}: {name}: {unknown_value_text(name, taken)}"
        elif name == "campaign" and value not in campaigns:
            yield f"{key}: campaign: {unknown_value_text(value, campaigns)}"
