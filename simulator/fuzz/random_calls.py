"""Draws the calls of a run: missed calls, redeliveries, bursts of many callers, and verifications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from simulator.exchange.model.call_shapes import CallShape
from simulator.fuzz.random_people import FREQUENT_CALLERS
from simulator.scenario.scenario import PersonSpec, TimelineEvent

_UNCONFIGURED = "+918047129999"
FLOW_SHAPES = (
    *("attempt-then-talked", "attempt-then-talked", "no-answer-then-talked", "attempt-then-voicemail"),
    *("talked-then-late-attempt", "talked-then-late-attempt", "attempt-then-missed", "voicemail"),
    *("bot-talked", "bot-failed", "voicebot-talked", "popup-then-talked", "popup-then-missed"),
    *("client-hangup", "incomplete-busy", "ended-busy"),
)
"""Shapes of calls through a flow with applets: several webhooks of one CallSid, all ways to talk."""
_COMMON_SHAPES = (*["passthru"] * 4, *["native"] * 2, "both", "both", "talked")
_DELAYS_S = {"0s": 0, "10s": 10, "30s": 30, "5m": 300}
"""The callback delays that a campaign may have."""
_ALL_SHAPES = tuple(shape.value for shape in CallShape)


def draw_calls(
    rng: Random, campaigns: list[dict[str, Any]], people: tuple[PersonSpec, ...], minutes: int
) -> list[TimelineEvent]:
    exophones = [number for campaign in campaigns for number in campaign["exophones"]]
    caller_ids = (campaign.get("callback", {}).get("caller_id") for campaign in campaigns)
    exophones = list(dict.fromkeys([*exophones, *filter(None, caller_ids)]))
    rings = []
    for _ in range(rng.randint(20, 40)):
        person = rng.choice(people[:FREQUENT_CALLERS] if rng.random() < 0.5 else people)
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
        params: dict[str, Any] = {
            "ring": person.name,
            "exophone": rng.choice(exophones) if rng.random() < 0.97 else _UNCONFIGURED,
            "shape": rng.choice(_COMMON_SHAPES if rng.random() < 0.9 else _ALL_SHAPES),
            "with_date": rng.random() < 0.85,
        }
        if rng.random() < 0.3:
            params |= {"times": rng.randint(2, 5), "every": rng.choice((5, 40, 200, 1000))}
        rings.append(TimelineEvent(at, "ring", params, "ring"))
        if rng.random() < 0.3:
            # A caller without an answer tries another number: two campaigns then owe them a callback.
            soon = at + timedelta(seconds=rng.choice((0, 5, 20, 60, 240)))
            rings.append(TimelineEvent(soon, "ring", {**params, "exophone": rng.choice(exophones)}, "ring"))
        if rng.random() < 0.1:
            later = at + timedelta(seconds=rng.choice((1, 60, 300, 1800)))
            rings.append(TimelineEvent(later, "redeliver", {"redeliver": person.name}, "redeliver"))
    if rng.random() < 0.1:
        # A television advertisement: many calls at once reach every limit.
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 * 0.8), 1))
        params = {"crowd": rng.choice((30, 80)), "within": rng.choice((10, 120)), "exophone": exophones[0]}
        rings.append(TimelineEvent(at, "crowd", params, "crowd"))
    return rings


def draw_calls_to_two_campaigns(
    seed: int, campaigns: list[dict[str, Any]], people: tuple[PersonSpec, ...], minutes: int
) -> Iterator[TimelineEvent]:
    """Draw callers who call two campaigns, so that both callbacks are due within the length of one call.

    Uses a random generator of its own, so that the other draws of the seed stay the same.
    """
    rng = Random(f"two campaigns {seed}")  # noqa: S311 - repeatable on purpose
    calling_back = [campaign for campaign in campaigns if "callback" in campaign]
    if len(calling_back) < 2:
        return
    for _ in range(rng.choice((0, 1, 3))):
        person = rng.choice(people)
        due_s = round(rng.uniform(400, minutes * 60 - 60), 1)
        for campaign in rng.sample(calling_back, 2):
            at = timedelta(seconds=due_s - _DELAYS_S[campaign["callback"]["delay"]])
            params = {"ring": person.name, "exophone": campaign["exophones"][0], "shape": "passthru"}
            yield TimelineEvent(at, "ring", params, "ring")
            due_s += rng.choice((0, 3, 10, 20))


def route_through_flows(seed: int, events: list[TimelineEvent]) -> Iterator[TimelineEvent]:
    """Send every fourth call through a flow with applets.

    Uses a random generator of its own, so that the other draws of the seed stay the same.
    """
    rng = Random(f"flows {seed}")  # noqa: S311 - repeatable on purpose
    for event in events:
        if "shape" in event.params and rng.random() < 0.25:
            yield replace(event, params={**event.params, "shape": rng.choice(FLOW_SHAPES)})
        else:
            yield event


def draw_verifications(
    rng: Random, campaigns: list[dict[str, Any]], people: tuple[PersonSpec, ...], minutes: int
) -> Iterator[TimelineEvent]:
    """Draw verifications that an application starts: 80 % get a call, 50 % are queried later."""
    for campaign in (candidate for candidate in campaigns if "verify" in candidate):
        for index in range(rng.randint(2, 12)):
            person, name = rng.choice(people[:FREQUENT_CALLERS]), f"{campaign['name']}-{index}"
            at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
            body = {"number": f"{{{person.name}}}", "campaign": campaign["name"]}
            start = {"api": "POST", "path": "/api/v1/verifications", "body": body, "keep": name}
            yield TimelineEvent(at, "api", start, "api")
            if rng.random() < 0.8:
                ring = {"ring": person.name, "exophone": rng.choice(campaign["exophones"])}
                rings_at = at + timedelta(seconds=rng.choice((1, 20, 59, 61, 290, 301)))
                yield TimelineEvent(rings_at, "ring", ring, "ring")
                if rng.random() < 0.3:
                    # Exotel delivers the webhook five minutes later, perhaps after the verification expired.
                    lost = {"fault": "lose", "target": "webhook", "for": 3}
                    yield TimelineEvent(rings_at - timedelta(seconds=1), "fault", lost, "fault")
            if rng.random() < 0.5:
                ask = {"api": "GET", "path": f"/api/v1/verifications/{{{name}.body.id}}"}
                asks_at = at + timedelta(seconds=rng.choice((60, 61, 302, 900)))
                yield TimelineEvent(asks_at, "api", ask, "api")
