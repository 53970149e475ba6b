"""Draws a whole run from one seed: a configuration, people, calls and faults.

Each run has only some of the faults, with very different probabilities: a run with all of them at once
never gets far enough to find most bugs. The result is a scenario like those written by hand, but the
promises take the place of its expectations.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

from simulator.fuzz.random_calls import (
    draw_calls,
    draw_calls_to_two_campaigns,
    draw_verifications,
    route_through_flows,
)
from simulator.fuzz.random_faults import draw_outages, draw_random_faults
from simulator.fuzz.random_people import FREQUENT_CALLERS, draw_people
from simulator.fuzz.random_polls import LIST_SUBSCRIPTION, POLL_NAME, draw_lists, draw_polls, draw_unsubscribe
from simulator.harness.daemon_host import SMS_TEXT_URL
from simulator.scenario.scenario import PersonSpec, Scenario, TimelineEvent

FIRST_MONDAY = datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=5, minutes=30)))
MINUTES = 120
RETRIES = {"no-answer": ["1m"], "busy": ["20s", "5m"], "failed": ["5m"]}


def draw_scenario(seed: int, minutes: int = MINUTES, *, by_day: bool = False) -> Scenario:
    """Draw the run of a seed: `minutes` of calls and faults. The same seed draws the same run.

    With `by_day` the run begins between 10:00 and 16:00, when no quiet hours are near.
    """
    rng = Random(seed)  # noqa: S311 - repeatable on purpose
    campaigns = [_draw_campaign(rng, index) for index in range(rng.randint(1, 4))]
    people = draw_people(rng, seed, campaigns)
    events = [*draw_calls(rng, campaigns, people, minutes), *_draw_operator_events(rng, people, minutes)]
    events += draw_verifications(rng, campaigns, people, minutes)
    events += draw_calls_to_two_campaigns(seed, campaigns, people, minutes)
    draw_lists(seed, campaigns)
    events += draw_random_faults(rng, minutes)
    events += draw_outages(seed, minutes)
    rings = [event for event in events if event.kind == "ring"]
    events += _draw_pauses(Random(f"pauses {seed}"), campaigns, rings, minutes)  # noqa: S311 - repeatable
    start = FIRST_MONDAY + timedelta(days=rng.randrange(7), minutes=rng.randrange(24 * 60))
    if by_day:
        start = start.replace(hour=10 + start.hour % 6)
    configured_channels, exchange_channels = _draw_channels(seed)
    exchange = _draw_exchange_settings(rng) | exchange_channels | _draw_sms_applet(seed)
    return Scenario(
        name=f"seed-{seed}",
        about="drawn from a seed",
        path=Path(f"seed-{seed}"),
        start=start,
        until=timedelta(minutes=minutes),
        seed=seed,
        daemon={
            "campaign": campaigns,
            "exotel": {name: _draw_rate_limit(rng) for name in ("calls_per_minute", "sms_per_minute")}
            | configured_channels,
            **draw_polls(seed, campaigns, start, minutes),
        },
        exchange=exchange,
        people=people,
        timeline=tuple(sorted(route_through_flows(seed, events), key=lambda each: each.at)),
        expectations=(),
    )


def _draw_rate_limit(rng: Random) -> int:
    return rng.choice((6, 12, 30, 60, 200))


def _draw_campaign(rng: Random, index: int) -> dict[str, Any]:
    exophones = [f"+91804712{index}{line:03d}" for line in range(rng.choice((1, 1, 2)))]
    campaign: dict[str, Any] = {
        "name": f"campaign-{index}",
        "exophones": exophones,
        "dedup_window": rng.choice(("0s", "30s", "5m", "10m", "1h")),
    }
    if rng.random() < 0.85:
        campaign["callback"] = _draw_callback(rng)
    if rng.random() < 0.6:
        campaign["sms"] = _draw_sms(rng, "Thank you, {caller}, for calling at {time}.")
    if rng.random() < 0.5:
        campaign["lead"] = {}
    if rng.random() < 0.4:
        campaign["webhook"] = {"url": "https://crm.example.in/missed-call"}
    if rng.random() < 0.5:
        campaign["hours"] = {
            "open": [
                rng.choice(
                    ("daily 09:30-18:30", "mon-sat 10:00-19:00", "daily 20:00-04:00", "daily 13:00-12:00")
                )
            ]
        }
        if rng.random() < 0.7:
            campaign["after_hours"] = {"callback": rng.choice(("defer", "defer", "skip", "same"))}
            if rng.random() < 0.5:
                campaign["after_hours"]["sms"] = {"sender": "EXAMPL", "body": "We are closed now."}
    kind = rng.randrange(6)
    if kind == 0:
        campaign["vote"] = {"poll": POLL_NAME, "option": f"option-{index}"}
    elif kind == 1:
        campaign["subscribe"] = LIST_SUBSCRIPTION
    elif kind == 2:
        campaign["unsubscribe"] = draw_unsubscribe(rng)
    elif kind in (3, 4):
        campaign["verify"] = {"ttl": rng.choice(("1m", "5m", "30m")), "max_per_hour": rng.choice((2, 5))}
    return campaign


def _draw_callback(rng: Random) -> dict[str, Any]:
    callback: dict[str, Any] = {"flow": "12345"}
    if rng.random() < 0.5:
        agents = [_draw_agent(rng, index) for index in range(rng.randint(1, 3))]
        callback = {"agents": agents, "first": rng.choice(("agent", "customer"))}
        if rng.random() < 0.5:
            callback["agent_retry"] = rng.choice(("30s", "10m"))
    if rng.random() < 0.3:
        callback["calls_at_once"] = rng.choice((1, 2, 3, "any"))
    if rng.random() < 0.3:
        callback["time_limit"] = rng.choice(("1m", "10m"))
    return callback | {
        "delay": rng.choice(("0s", "10s", "30s", "5m")),
        "max_per_hour": rng.choice((1, 1, 2, 3)),
        "ring_timeout": rng.choice(("15s", "30s")),
        "give_up_after": rng.choice(("5m", "15m", "2h")),
        "retries": rng.choice(([], RETRIES, ["1m"], ["5m", "15m"], ["70m"])),
        "message_class": rng.choice(("service", "service", "promotional", "transactional")),
    }


def _draw_agent(rng: Random, index: int) -> str | dict[str, Any]:
    """Draw an agent from few numbers, so that campaigns share agents; some are switchboards."""
    number = f"+91{rng.choice(('98111000', '98111000', '22400010'))}{index:02d}"
    if rng.random() < 0.6:
        return number
    agent: dict[str, Any] = {"number": number}
    if rng.random() < 0.75:
        agent["open"] = [rng.choice(("daily 08:00-14:00", "daily 12:30-20:00", "daily 22:00-06:00"))]
    if rng.random() < 0.4:
        agent["calls_at_once"] = rng.choice((1, 2, "any"))
    return agent


def _draw_sms(rng: Random, body: str) -> dict[str, Any]:
    return {
        "sender": "EXAMPL",
        "body": body,
        "dlt_template": body.replace("{caller}", "{#var#}").replace("{time}", "{#var#}"),
        "dlt_entity_id": "1101000000000000000",
        "dlt_template_id": "1107000000000000001",
        "message_class": rng.choice(("service", "promotional", "transactional")),
        "give_up_after": rng.choice(("10m", "24h")),
    }


def _draw_exchange_settings(rng: Random) -> dict[str, Any]:
    exchange: dict[str, Any] = {
        "api_latency_s": rng.choice((0.0, 0.25, 3.0)),
        "report_delay_s": rng.choice((0.0, 1.0, 30.0, 120.0)),
        "sid_visible_after_s": rng.choice((0.0, 0.0, 5.0, 60.0)),
        "sms_overload_status": rng.choice((429, 503)),
    }
    if rng.random() < 0.3:
        exchange["retry_after_s"] = rng.choice((1, 20))
    if rng.random() < 0.4:
        # Legs are missing in status reports, in lookups, or in both.
        exchange["report_legs"] = rng.random() < 0.2
        exchange["details_legs"] = rng.random() < 0.4
    exchange["flow_legs"] = rng.random() < 0.3
    exchange["flow_always_completed"] = rng.random() < 0.2
    exchange["human_word"] = rng.choice(("NA", "Human", "HUMAN"))
    exchange["machine_word"] = rng.choice(("Machine", "machine", "MACHINE"))
    return exchange


def _draw_channels(seed: int) -> tuple[dict[str, int], dict[str, int]]:
    """(daemon's configuration, exchange's settings): the exchange has as many channels, or some more.

    In 10 % of the runs the exchange has few channels and the daemon's configuration names no number.
    """
    rng = Random(f"channels {seed}")  # noqa: S311 - repeatable on purpose
    configured, more, kind = rng.choice((2, 2, 3)), rng.choice((0, 1, 50)), rng.random()
    if kind < 0.5:
        return {}, {}
    exchange = {"channels": configured + more, "channels_full_status": rng.choice((429, 403))}
    return ({"channels": configured} if kind < 0.9 else {}), exchange


def _draw_sms_applet(seed: int) -> dict[str, Any]:
    """40 % of the runs have the dynamic SMS applet. Uses a random generator of its own."""
    rng = Random(f"applet {seed}")  # noqa: S311 - repeatable on purpose
    if rng.random() < 0.6:
        return {}
    return {"sms_text_url": SMS_TEXT_URL, "applet_wait_s": rng.choice((0.0, 0.5, 5.0))}


def _draw_operator_events(rng: Random, people: tuple[PersonSpec, ...], minutes: int) -> list[TimelineEvent]:
    """Draw an operator who suppresses people and lifts suppressions."""
    events = []
    for _ in range(rng.choice((0, 1, 3, 6))):
        kind = rng.choice(("suppress", "suppress", "unsuppress"))
        person = rng.choice(people[:FREQUENT_CALLERS])
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
        events.append(TimelineEvent(at, kind, {kind: person.name}, kind))
    return events


def _draw_pauses(
    rng: Random, campaigns: list[dict[str, Any]], rings: list[TimelineEvent], minutes: int
) -> list[TimelineEvent]:
    """Draw an operator who pauses campaigns, mostly while a callback is owed, and often resumes them."""
    events = []
    owners = {number: campaign["name"] for campaign in campaigns for number in campaign["exophones"]}
    for _ in range(rng.choice((0, 0, 1, 2))):
        name = rng.choice(campaigns)["name"]
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
        if rings and rng.random() < 0.7:
            ring = rng.choice(rings)
            name = owners.get(ring.params.get("exophone"), name)
            at = ring.at + timedelta(seconds=round(rng.uniform(1, 20), 1))
        params = {"pause": name}
        if rng.random() < 0.5:
            params["for"] = rng.choice(("1m", "10m", "1h"))
        events.append(TimelineEvent(at, "pause", params, "pause"))
        if rng.random() < 0.6:
            later = at + timedelta(seconds=rng.choice((20, 300, 1800)))
            events.append(TimelineEvent(later, "resume", {"resume": name}, "resume"))
    return events
