"""What an expectation can look at: the exchange's truth, the application's mail, the daemon's API and log.

Each measure gives a list of things (counted against the bound) or one value (compared with it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from simulator.harness.application_client import fill_placeholders, response_value, value_at
from simulator.harness.scenario_run import Simulation
from simulator.scenario.scenario import Expectation, ScenarioError


async def take_measure(
    expected: Expectation, simulation: Simulation, start: datetime, where: str
) -> list[Any] | Any:
    """The things, or the value, that an expectation is about."""
    filters = expected.filters
    truth = simulation.exchange.ground_truth
    number = simulation.people[filters["person"]].number if "person" in filters else None
    since, until = (_instant(filters.get(name), start) for name in ("after", "before"))

    def pick[T](things: Iterable[T], at: Callable[[T], datetime], whose: Callable[[T], object]) -> list[T]:
        return [
            each
            for each in things
            if (number is None or whose(each) == number)
            and (since is None or at(each) >= since)
            and (until is None or at(each) < until)
        ]

    match expected.measure:
        case "rings":
            rings = pick(truth.rings, lambda each: each.started_at, lambda each: each.number)
            return [
                each
                for each in rings
                if filters.get("leg", each.leg) == each.leg
                and filters.get("answered", each.answered) == each.answered
            ]
        case "engaged":
            tries = pick(truth.engaged, lambda each: each.started_at, lambda each: each.number)
            return [each for each in tries if filters.get("leg", each.leg) == each.leg]
        case "calls":
            if number is not None:
                mine = truth.connects_to(number)
                return [each for each in pick(truth.connects, _created_at, lambda _: number) if each in mine]
            return pick(truth.connects, _created_at, lambda _: None)
        case "turned_away":
            return pick(truth.turned_away, lambda each: each.rung_at, lambda each: each.number)
        case "texts":
            texts = pick(truth.texts, lambda each: each.sent_at, lambda each: each.number)
            return [
                each
                for each in texts
                if filters.get("containing", "") in each.body and filters.get("via", each.via) == each.via
            ]
        case "dropped_texts":
            return pick(truth.dropped_texts, lambda each: each.at, lambda each: each.number)
        case "verdicts":
            sids = {each.call_sid for each in truth.inbound if each.number == number}
            return [
                each
                for each in truth.deliveries
                if each.kind == "missed-call"
                and (number is None or each.call_sid in sids)
                and filters.get("verdict", each.verdict) == each.verdict
                and filters.get("status", each.status) == each.status
            ]
        case "requests":
            requests = pick(truth.api_requests, lambda each: each.at, lambda _: None)
            names = ("target", "status", "fault")
            return [each for each in requests if all(_matches(each, name, filters) for name in names)]
        case "requests_in_a_minute":
            return truth.max_requests_per_minute(filters.get("target", "voice"))
        case "rings_in_an_hour":
            people = [number] if number else sorted({each.number for each in truth.rings})
            return max((truth.max_rings_in_window(each, timedelta(hours=1)) for each in people), default=0)
        case "webhooks":
            taken = pick(
                simulation.customer_apps.accepted_messages(), lambda each: each.at, lambda each: each.number
            )
            return [
                each
                for each in taken
                if filters.get("type", each.payload["type"]) == each.payload["type"]
                and filters.get("campaign") in (None, each.payload["data"]["campaign"])
            ]
        case "actions":
            return await _matching_actions(simulation, number, filters)
        case "api":
            return await _api_value(simulation, filters, where)
        case "log":
            return [each for each in simulation.host.log_lines() if each["event"] == filters.get("event")]
        case other:
            raise AssertionError(f"{other} is listed as a measure but cannot be taken")


def _created_at(call: Any) -> datetime:
    created_at: datetime = call.created_at
    return created_at


def _matches(request: Any, name: str, filters: Any) -> bool:
    return name not in filters or getattr(request, name) == filters[name]


def _instant(offset: timedelta | None, start: datetime) -> datetime | None:
    return None if offset is None else start + offset


async def _matching_actions(simulation: Simulation, number: str | None, filters: Any) -> list[Any]:
    """All actions of the daemon that fit, over all pages."""
    ours = ("person", "reason")
    query = "".join(f"&{name}={quote(str(value))}" for name, value in filters.items() if name not in ours)
    if number is not None:
        query += f"&number={quote(number)}"
    reason = filters.get("reason")
    found: list[Any] = []
    cursor = ""
    while True:
        page = await simulation.host.request_json("GET", f"/api/v1/actions?limit=1000{query}{cursor}")
        found += [each for each in page["items"] if reason in (None, each["reason"])]
        if page["next"] is None:
            return found
        cursor = f"&cursor={quote(page['next'])}"


async def _api_value(simulation: Simulation, filters: Any, where: str) -> Any:
    """One value out of an answer of the API, asked for now or kept in the timeline."""
    if "get" in filters:
        path = fill_placeholders(
            filters["get"], simulation.people, simulation.stored_answers, where, in_path=True
        )
        asked = await simulation.host.request("GET", path)
        if asked.is_client_error:
            raise ScenarioError(f"{where}.get: the API answers {asked.status_code}: {asked.text}")
        answer = response_value(asked.raise_for_status())
    else:
        answer = value_at(simulation.stored_answers, filters["kept"], where)
    return value_at(answer, filters.get("path", ""), f"{where}.path")
