"""What an expectation can measure: the exchange's ground truth, the application's webhooks, the daemon.

Example: `rings` gives a list, whose length is compared with the bound; `requests_in_a_minute` gives one
value, which is compared itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from simulator.exchange.model.ground_truth import GroundTruth
from simulator.harness.application_client import fill_placeholders, response_value, value_at
from simulator.harness.scenario_run import Simulation
from simulator.scenario.scenario import Expectation, ScenarioError


@dataclass(frozen=True, slots=True)
class _Selection:
    """The person and the period that an expectation is limited to; None for no limit."""

    number: str | None
    since: datetime | None
    until: datetime | None

    def pick[T](
        self, records: Iterable[T], at: Callable[[T], datetime], number_of: Callable[[T], object]
    ) -> list[T]:
        return [
            record
            for record in records
            if (self.number is None or number_of(record) == self.number)
            and (self.since is None or at(record) >= self.since)
            and (self.until is None or at(record) < self.until)
        ]


async def take_measure(
    expected: Expectation, simulation: Simulation, start: datetime, where: str
) -> list[Any] | Any:
    """Return the items, or the value, that an expectation is about."""
    filters = expected.filters
    number = simulation.people[filters["person"]].number if "person" in filters else None
    selection = _Selection(
        number, _instant(filters.get("after"), start), _instant(filters.get("before"), start)
    )
    match expected.measure:
        case "webhooks":
            messages = selection.pick(
                simulation.customer_apps.accepted_messages(), lambda each: each.at, lambda each: each.number
            )
            return [
                message
                for message in messages
                if filters.get("type", message.payload["type"]) == message.payload["type"]
                and filters.get("campaign") in (None, message.payload["data"]["campaign"])
            ]
        case "actions":
            return await _matching_actions(simulation, number, filters)
        case "api":
            return await _api_value(simulation, filters, where)
        case "log":
            return [line for line in simulation.daemons.log_lines() if line["event"] == filters.get("event")]
        case measure:
            return _measure_exchange(measure, filters, simulation.exchange.ground_truth, selection)


def _measure_exchange(
    measure: str, filters: Any, ground_truth: GroundTruth, selection: _Selection
) -> list[Any] | int:
    number, pick = selection.number, selection.pick
    match measure:
        case "rings":
            rings = pick(ground_truth.rings, lambda each: each.started_at, lambda each: each.number)
            return [ring for ring in rings if _matches(ring, ("leg", "answered"), filters)]
        case "engaged":
            tries = pick(ground_truth.engaged, lambda each: each.started_at, lambda each: each.number)
            return [attempt for attempt in tries if _matches(attempt, ("leg",), filters)]
        case "calls":
            if number is not None:
                mine = ground_truth.connects_to(number)
                calls = pick(ground_truth.connects, _created_at, lambda _: number)
                return [call for call in calls if call in mine]
            return pick(ground_truth.connects, _created_at, lambda _: None)
        case "turned_away":
            return pick(ground_truth.turned_away, lambda each: each.rung_at, lambda each: each.number)
        case "texts":
            texts = pick(ground_truth.texts, lambda each: each.sent_at, lambda each: each.number)
            return [
                text
                for text in texts
                if filters.get("containing", "") in text.body and _matches(text, ("via",), filters)
            ]
        case "dropped_texts":
            return pick(ground_truth.dropped_texts, lambda each: each.at, lambda each: each.number)
        case "verdicts":
            sids = {ring.call_sid for ring in ground_truth.inbound if ring.number == number}
            return [
                delivery
                for delivery in ground_truth.deliveries
                if delivery.kind == "missed-call"
                and (number is None or delivery.call_sid in sids)
                and _matches(delivery, ("verdict", "status"), filters)
            ]
        case "requests":
            requests = pick(ground_truth.api_requests, lambda each: each.at, lambda _: None)
            return [
                request for request in requests if _matches(request, ("target", "status", "fault"), filters)
            ]
        case "requests_in_a_minute":
            return ground_truth.max_requests_per_minute(filters.get("target", "voice"))
        case "rings_in_an_hour":
            numbers = [number] if number else sorted({ring.number for ring in ground_truth.rings})
            hour = timedelta(hours=1)
            return max((ground_truth.max_rings_in_window(called, hour) for called in numbers), default=0)
        case other:
            raise AssertionError(f"{other} is listed as a measure but is not implemented")


def _matches(record: Any, names: Iterable[str], filters: Any) -> bool:
    return all(name not in filters or getattr(record, name) == filters[name] for name in names)


def _created_at(call: Any) -> datetime:
    created_at: datetime = call.created_at
    return created_at


def _instant(offset: timedelta | None, start: datetime) -> datetime | None:
    return None if offset is None else start + offset


async def _matching_actions(simulation: Simulation, number: str | None, filters: Any) -> list[Any]:
    """All actions of the daemon that match the filters, over all pages."""
    not_sent = ("person", "reason")
    query = "".join(f"&{name}={quote(str(value))}" for name, value in filters.items() if name not in not_sent)
    if number is not None:
        query += f"&number={quote(number)}"
    reason = filters.get("reason")
    found: list[Any] = []
    cursor = ""
    while True:
        page = await simulation.daemons.request_json("GET", f"/api/v1/actions?limit=1000{query}{cursor}")
        found += [action for action in page["items"] if reason in (None, action["reason"])]
        if page["next"] is None:
            return found
        cursor = f"&cursor={quote(page['next'])}"


async def _api_value(simulation: Simulation, filters: Any, where: str) -> Any:
    """One value of an answer of the API, requested now or stored during the timeline."""
    if "get" in filters:
        path = fill_placeholders(
            filters["get"], simulation.people, simulation.stored_answers, where, in_path=True
        )
        response = await simulation.daemons.request("GET", path)
        if response.is_client_error:
            raise ScenarioError(f"{where}.get: the API answers {response.status_code}: {response.text}")
        answer = response_value(response.raise_for_status())
    else:
        answer = value_at(simulation.stored_answers, filters["kept"], where)
    return value_at(answer, filters.get("path", ""), f"{where}.path")
