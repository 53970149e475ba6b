"""Draws a whole run from one seed: a configuration, callers, and a swarm of what goes wrong.

*Swarm*: each run has only some of the faults, with wild weights, since a run with all of them at
once never gets far enough to meet most mistakes. What is drawn is a scenario like those written by
hand; only its expectations are the promises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

from simulator.people import Answers, Reception
from simulator.runner.host import SMS_TEXT_URL
from simulator.runner.swarm_faults import draw_faults
from simulator.runner.swarm_numbers import draw_numbers
from simulator.runner.swarm_polls import POLL, draw_polls
from simulator.scenario import Happening, PersonSpec, Scenario

MONDAY = datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=5, minutes=30)))
SMALL_POOL = 6
"""Half of all rings come from so few numbers that windows, caps and suppressions collide."""

MINUTES = 120
RETRIES = {"no-answer": ["1m"], "busy": ["20s", "5m"], "failed": ["5m"]}
RECEPTIONS = (
    *[Reception.DELIVERED] * 7,
    Reception.TO_OPERATOR,
    Reception.DND,
    Reception.INVALID,
    Reception.UNAVAILABLE,
)
FLOWS = (
    *("attempt-then-talked", "attempt-then-talked", "no-answer-then-talked", "attempt-then-voicemail"),
    *("talked-then-late-attempt", "talked-then-late-attempt", "attempt-then-missed", "voicemail"),
    *("bot-talked", "bot-failed", "voicebot-talked", "popup-then-talked", "popup-then-missed"),
    *("client-hangup", "incomplete-busy", "ended-busy"),
)
"""What a flow makes of some of the calls: several requests of one CallSid, and every way to talk."""

_UNCONFIGURED = "+918047129999"


def draw(seed: int, minutes: int = MINUTES) -> Scenario:
    """The run of a seed: `minutes` of rings and faults. The same seed draws the same run."""
    rng = Random(seed)  # noqa: S311 - repeatable on purpose
    campaigns = [_campaign(rng, index) for index in range(rng.randint(1, 4))]
    people = tuple(_person(rng, f"p{index}") for index in range(SMALL_POOL + rng.randint(10, 20)))
    people = draw_numbers(seed, people, campaigns)
    happenings = [*_rings(rng, campaigns, people, minutes), *_operator(rng, people, minutes)]
    happenings += _verifications(rng, campaigns, people, minutes)
    happenings += draw_faults(rng, minutes)
    happenings += _pauses(Random(f"pauses {seed}"), campaigns, minutes)  # noqa: S311 - repeatable on purpose
    start = MONDAY + timedelta(days=rng.randrange(7), minutes=rng.randrange(24 * 60))
    return Scenario(
        name=f"seed-{seed}",
        about="drawn from a seed",
        path=Path(f"seed-{seed}"),
        start=start,
        until=timedelta(minutes=minutes),
        seed=seed,
        daemon={
            "campaign": campaigns,
            "exotel": {name: _rate(rng) for name in ("calls_per_minute", "sms_per_minute")},
            **draw_polls(seed, campaigns, start, minutes),
        },
        exchange=_exchange(rng) | _applet(seed),
        people=people,
        timeline=tuple(sorted(_through_flows(seed, happenings), key=lambda each: each.at)),
        expectations=(),
    )


def _rate(rng: Random) -> int:
    return rng.choice((6, 12, 30, 60, 200))


def _campaign(rng: Random, index: int) -> dict[str, Any]:
    exophones = [f"+91804712{index}{each:03d}" for each in range(rng.choice((1, 1, 2)))]
    campaign: dict[str, Any] = {
        "name": f"campaign-{index}",
        "exophones": exophones,
        "dedup_window": rng.choice(("0s", "30s", "5m", "10m", "1h")),
    }
    if rng.random() < 0.85:
        campaign["callback"] = _callback(rng)
    if rng.random() < 0.6:
        campaign["sms"] = _sms(rng, "Thank you, {caller}, for calling at {time}.")
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
        campaign["vote"] = {"poll": POLL, "option": f"option-{index}"}
    elif kind == 1:
        campaign["subscribe"] = {"list": "weather", "purpose": "alerts"}
    elif kind == 2:
        campaign["unsubscribe"] = {"list": "weather", "suppress": rng.random() < 0.75}
    elif kind == 3:
        campaign["verify"] = {"ttl": rng.choice(("1m", "5m", "30m")), "max_per_hour": rng.choice((2, 5))}
    return campaign


def _callback(rng: Random) -> dict[str, Any]:
    whom: dict[str, Any] = {"flow": "12345"}
    if rng.random() < 0.4:
        agents = [_agent(rng, f"+9198111000{each:02d}") for each in range(rng.randint(1, 3))]
        whom = {"agents": agents, "first": rng.choice(("agent", "customer"))}
    return whom | {
        "delay": rng.choice(("0s", "10s", "30s", "5m")),
        "max_per_hour": rng.choice((1, 1, 2, 3)),
        "ring_timeout": rng.choice(("15s", "30s")),
        "give_up_after": rng.choice(("5m", "15m", "2h")),
        "retries": rng.choice(([], RETRIES, ["1m"], ["5m", "15m"], ["70m"])),
        "message_class": rng.choice(("service", "service", "promotional", "transactional")),
    }


def _agent(rng: Random, number: str) -> str | dict[str, Any]:
    if rng.random() < 0.6:
        return number
    return {
        "number": number,
        "open": [rng.choice(("daily 08:00-14:00", "daily 12:30-20:00", "daily 22:00-06:00"))],
    }


def _sms(rng: Random, body: str) -> dict[str, Any]:
    return {
        "sender": "EXAMPL",
        "body": body,
        "dlt_template": body.replace("{caller}", "{#var#}").replace("{time}", "{#var#}"),
        "dlt_entity_id": "1101000000000000000",
        "dlt_template_id": "1107000000000000001",
        "message_class": rng.choice(("service", "promotional", "transactional")),
        "give_up_after": rng.choice(("10m", "24h")),
    }


def _exchange(rng: Random) -> dict[str, Any]:
    exchange: dict[str, Any] = {
        "api_latency_s": rng.choice((0.0, 0.25, 3.0)),
        "report_delay_s": rng.choice((0.0, 1.0, 30.0)),
        "sid_visible_after_s": rng.choice((0.0, 0.0, 5.0, 60.0)),
        "sms_overload_status": rng.choice((429, 503)),
    }
    if rng.random() < 0.3:
        exchange["retry_after_s"] = rng.choice((1, 20))
    return exchange


def _applet(seed: int) -> dict[str, Any]:
    """Some flows have the dynamic SMS applet. Drawn aside, so that what else a seed draws stays as it was."""
    rng = Random(f"applet {seed}")  # noqa: S311 - repeatable on purpose
    if rng.random() < 0.6:
        return {}
    return {"sms_text_url": SMS_TEXT_URL, "applet_wait_s": rng.choice((0.0, 0.5, 5.0))}


def _person(rng: Random, name: str) -> PersonSpec:
    usual = (Answers.ANSWER, Answers.ANSWER, Answers.NO_ANSWER, Answers.BUSY, Answers.HANGUP)
    traits = {
        "answers": tuple(rng.choices((*usual, Answers.UNREACHABLE), k=rng.randint(1, 3))),
        "sms": rng.choice(RECEPTIONS),
        "ring_s": round(rng.uniform(1, 20), 1),
        "talks_s": round(rng.uniform(1, 90), 1),
    }
    return PersonSpec(name, None, traits)


def _rings(
    rng: Random, campaigns: list[dict[str, Any]], people: tuple[PersonSpec, ...], minutes: int
) -> list[Happening]:
    exophones = [number for each in campaigns for number in each["exophones"]]
    rings = []
    for _ in range(rng.randint(20, 40)):
        person = rng.choice(people[:SMALL_POOL] if rng.random() < 0.5 else people)
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
        params: dict[str, Any] = {
            "ring": person.name,
            "exophone": rng.choice(exophones) if rng.random() < 0.97 else _UNCONFIGURED,
            "shape": rng.choice((*["passthru"] * 4, *["native"] * 2, "both", "both", "talked")),
            "with_date": rng.random() < 0.85,
        }
        if rng.random() < 0.3:
            params |= {"times": rng.randint(2, 5), "every": rng.choice((5, 40, 200, 1000))}
        rings.append(Happening(at, "ring", params, "ring"))
        if rng.random() < 0.1:
            later = at + timedelta(seconds=rng.choice((1, 60, 300, 1800)))
            rings.append(Happening(later, "redeliver", {"redeliver": person.name}, "redeliver"))
    if rng.random() < 0.1:
        # A television advertisement: many at once, who fill whatever has a limit.
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 * 0.8), 1))
        params = {"crowd": rng.choice((30, 80)), "within": rng.choice((10, 120)), "exophone": exophones[0]}
        rings.append(Happening(at, "crowd", params, "crowd"))
    return rings


def _through_flows(seed: int, happenings: list[Happening]) -> Iterator[Happening]:
    """Every fourth ring goes through a flow with applets. Drawn aside, so that the rest stays as it was."""
    rng = Random(f"flows {seed}")  # noqa: S311 - repeatable on purpose
    for each in happenings:
        if "shape" in each.params and rng.random() < 0.25:
            yield replace(each, params={**each.params, "shape": rng.choice(FLOWS)})
        else:
            yield each


def _verifications(
    rng: Random, campaigns: list[dict[str, Any]], people: tuple[PersonSpec, ...], minutes: int
) -> Iterator[Happening]:
    """An application that has numbers proved; most of them ring, and half of the time it asks how it went."""
    for campaign in (each for each in campaigns if "verify" in each):
        for index in range(rng.randint(2, 12)):
            person, name = rng.choice(people[:SMALL_POOL]), f"{campaign['name']}-{index}"
            at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
            body = {"number": f"{{{person.name}}}", "campaign": campaign["name"]}
            start = {"api": "POST", "path": "/api/v1/verifications", "body": body, "keep": name}
            yield Happening(at, "api", start, "api")
            if rng.random() < 0.8:
                ring = {"ring": person.name, "exophone": rng.choice(campaign["exophones"])}
                rings_at = at + timedelta(seconds=rng.choice((1, 20, 59, 61, 290, 301)))
                yield Happening(rings_at, "ring", ring, "ring")
                if rng.random() < 0.3:
                    # Exotel delivers it five minutes later, when the answer may have been given.
                    lost = {"fault": "lose", "target": "webhook", "for": 3}
                    yield Happening(rings_at - timedelta(seconds=1), "fault", lost, "fault")
            if rng.random() < 0.5:
                ask = {"api": "GET", "path": f"/api/v1/verifications/{{{name}.body.id}}"}
                asks_at = at + timedelta(seconds=rng.choice((60, 61, 302, 900)))
                yield Happening(asks_at, "api", ask, "api")


def _operator(rng: Random, people: tuple[PersonSpec, ...], minutes: int) -> list[Happening]:
    """An operator who takes people off the list and puts them on it again."""
    wishes = []
    for _ in range(rng.choice((0, 1, 3, 6))):
        deed = rng.choice(("suppress", "suppress", "unsuppress"))
        person = rng.choice(people[:SMALL_POOL])
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
        wishes.append(Happening(at, deed, {deed: person.name}, deed))
    return wishes


def _pauses(rng: Random, campaigns: list[dict[str, Any]], minutes: int) -> list[Happening]:
    """An operator who pauses campaigns, and mostly remembers to let them go on."""
    wishes = []
    for _ in range(rng.choice((0, 0, 1, 2))):
        name = rng.choice(campaigns)["name"]
        at = timedelta(seconds=round(rng.uniform(0, minutes * 60 - 1), 1))
        params = {"pause": name}
        if rng.random() < 0.5:
            params["for"] = rng.choice(("1m", "10m", "1h"))
        wishes.append(Happening(at, "pause", params, "pause"))
        if rng.random() < 0.6:
            later = at + timedelta(seconds=rng.choice((20, 300, 1800)))
            wishes.append(Happening(later, "resume", {"resume": name}, "resume"))
    return wishes
