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
from missedd.web.api.openapi import document
from missedd.web.api.unknown_parameters import parameters_of
from simulator.base.choices import guess, none_of
from simulator.exchange.model.formats import e164
from simulator.harness.run_setup import settings_of
from simulator.scenario.scenario import Scenario, ScenarioMistake
from simulator.scenario.schema import DEEDS, MEASURES, Name
from simulator.scenario.value_readers import NAMED

_API = document()
_TAKEN = parameters_of(_API)
_ONE_OR_TWO_DIGITS = 0.84
"""Of thirteen characters eleven are the same, in difflib's measure."""

_CALLS, _SENT = [Kind.CALLBACK], [Kind.CALLBACK, Kind.SMS, Kind.WEBHOOK]
_ENDS_SO: Mapping[str, list[Kind]] = {
    Outcome.ANSWERED: _CALLS,
    Outcome.NO_ANSWER: _CALLS,
    Outcome.BUSY: _CALLS,
    Outcome.FAILED: _SENT,
    Outcome.DELIVERED: [Kind.SMS, Kind.WEBHOOK],
    Outcome.HANDED_OVER: [Kind.SMS],
    Outcome.RECORDED: [kind for kind in Kind if kind not in _SENT],
}
"""The kinds of action that may have an outcome; any may have those that are not here."""

type Words = Mapping[str, list[str]]


def proofread(scenario: Scenario) -> None:
    """Raises ScenarioMistake for words that the daemon does not know, all of them at once."""
    settings = settings_of(scenario, Path())
    words = _words_of(settings, scenario)
    mistakes = [*_names(scenario, words), *_outcomes(scenario), *_requests(scenario, words["campaign"])]
    if mistakes:
        raise ScenarioMistake("\n".join(f"{scenario.path}: {mistake}" for mistake in mistakes))


def _words_of(settings: Settings, scenario: Scenario) -> Words:
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


def _names(scenario: Scenario, words: Words) -> Iterator[str]:
    entries = [(each.key, DEEDS[each.deed], each.params) for each in scenario.timeline]
    entries += [(each.key, MEASURES[each.measure], each.filters) for each in scenario.expectations]
    for key, takes, entry in entries:
        for name, value in entry.items():
            match takes.get(name):
                case Name("exophone") if _is_slip(value, words["exophone"], scenario):
                    yield f"{key}.{name}: {none_of(value, words['exophone'])}"
                case Name(of) if of != "exophone" and value not in words.get(of, [value]):
                    yield f"{key}.{name}: {none_of(value, words[of])}"


def _is_slip(exophone: str, known: list[str], scenario: Scenario) -> bool:
    """Whether a number that no campaign has is a slip of the pen: a digit or two away from one that has.

    Otherwise, or where somebody expects that verdict, the call is meant to lead nowhere.
    """
    expected = [each.filters.get("verdict") for each in scenario.expectations]
    number = e164(exophone)
    if number is None:
        return True
    near = get_close_matches(number, known, n=1, cutoff=_ONE_OR_TWO_DIGITS)
    return number not in known and bool(near) and Verdict.UNKNOWN_EXOPHONE not in expected


def _outcomes(scenario: Scenario) -> Iterator[str]:
    for expected in scenario.expectations:
        kind, outcome = expected.filters.get("kind"), expected.filters.get("outcome", "")
        if kind is not None and kind not in _ENDS_SO.get(outcome, [kind]):
            yield f"{expected.key}.outcome: no {kind} ever ends as {outcome}"


def _requests(scenario: Scenario, campaigns: list[str]) -> Iterator[str]:
    """Requests to the daemon's API that it could only refuse, where a refusal is not what is expected."""
    for each in scenario.timeline:
        if each.deed == "api" and each.params.get("status", 200) < 400:
            yield from _request(f"{each.key}.path", each.params["api"], each.params["path"], campaigns)
    for expected in scenario.expectations:
        if "get" in expected.filters:
            yield from _request(f"{expected.key}.get", "GET", expected.filters["get"], campaigns)


def _request(key: str, method: str, path: str, campaigns: list[str]) -> Iterator[str]:
    asked = urlsplit(NAMED.sub("x", path))
    if not asked.path.startswith("/api/"):
        return  # the console's and the metrics' are described nowhere
    routes = [route for route, item in _API["paths"].items() if method.lower() in item]
    route = next((route for route in routes if re.fullmatch(NAMED.sub("[^/]+", route), asked.path)), None)
    if route is None:
        yield f"{key}: the API has no {method} {asked.path}{guess(asked.path, routes)}"
        return
    taken = _TAKEN.get(route, ())
    for name, value in parse_qsl(asked.query, keep_blank_values=True):
        if name not in taken:
            yield f"{key}: {name}: {none_of(name, taken)}"
        elif name == "campaign" and value not in campaigns:
            yield f"{key}: campaign: {none_of(value, campaigns)}"
