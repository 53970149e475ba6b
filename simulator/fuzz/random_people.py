"""Draws the people of a run: callers with different behaviour, agents, and special numbers.

p0 … p5      half of all calls come from these few, so that windows, caps and calls collide
p6 … p25     the other callers
desk         a landline, which takes several calls at once
self         one of our own ExoPhones, as a forwarded call shows
agent-0 …    the agents of the campaigns, who may be busy or absent
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from simulator.exchange.model.people import RingResponse, SmsDeliveryResult
from simulator.fuzz.random_numbers import draw_numbers
from simulator.scenario.scenario import PersonSpec

FREQUENT_CALLERS = 6
"""Half of all calls come from this many numbers, so that windows, caps and suppressions collide."""

_SMS_RESULTS = (
    *[SmsDeliveryResult.DELIVERED] * 7,
    SmsDeliveryResult.TO_OPERATOR,
    SmsDeliveryResult.DND,
    SmsDeliveryResult.INVALID,
    SmsDeliveryResult.UNAVAILABLE,
)
_LANDLINE = "+912240001999"


def draw_people(rng: Random, seed: int, campaigns: list[dict[str, Any]]) -> tuple[PersonSpec, ...]:
    """Draw the people in this order: frequent callers, other callers, special people, agents."""
    callers = tuple(_draw_caller(rng, f"p{index}") for index in range(FREQUENT_CALLERS + rng.randint(10, 20)))
    callers = draw_numbers(seed, callers, campaigns)
    return (*callers, *_draw_special_people(rng, campaigns), *_draw_agents(rng, campaigns))


def _draw_caller(rng: Random, name: str, number: str | None = None) -> PersonSpec:
    usual = (
        RingResponse.ANSWER,
        RingResponse.ANSWER,
        RingResponse.NO_ANSWER,
        RingResponse.BUSY,
        RingResponse.HANGUP,
    )
    odd = (RingResponse.UNREACHABLE, RingResponse.MACHINE, RingResponse.CANCELED)
    traits: dict[str, Any] = {
        "answers": tuple(rng.choices((*usual, *usual, *odd), k=rng.randint(1, 3))),
        "sms": rng.choice(_SMS_RESULTS),
        "ring_s": round(rng.uniform(1, 20), 1),
        "talks_s": _draw_talk_s(rng),
    }
    if rng.random() < 0.5:
        # People who see a missed call call back: at once, or later.
        traits["rings_back"] = tuple(rng.choices((1.0, 5.0, 40.0, 200.0, 900.0), k=rng.randint(1, 3)))
    return PersonSpec(name, number, traits)


def _draw_talk_s(rng: Random) -> float:
    """Mostly short, so that a run has many conversations; 25 % last while other calls come and expire."""
    return round(rng.uniform(1, 90) if rng.random() < 0.75 else rng.uniform(300, 1500), 1)


def _draw_special_people(rng: Random, campaigns: Sequence[Mapping[str, Any]]) -> Iterator[PersonSpec]:
    if rng.random() < 0.4:
        yield _draw_caller(rng, "desk", _LANDLINE)
    if rng.random() < 0.3:
        yield _draw_caller(
            rng, "self", rng.choice([number for campaign in campaigns for number in campaign["exophones"]])
        )


def _draw_agents(rng: Random, campaigns: Sequence[Mapping[str, Any]]) -> Iterator[PersonSpec]:
    """Most agents answer every call; some answer every second call, and some never."""
    numbers = {
        agent if isinstance(agent, str) else agent["number"]
        for campaign in campaigns
        for agent in campaign.get("callback", {}).get("agents", ())
    }
    for index, number in enumerate(sorted(numbers)):
        answers = rng.choice(
            (
                *[(RingResponse.ANSWER,)] * 3,
                (RingResponse.NO_ANSWER, RingResponse.ANSWER, RingResponse.BUSY, RingResponse.ANSWER),
                (RingResponse.ANSWER, RingResponse.HANGUP, RingResponse.UNREACHABLE, RingResponse.ANSWER),
                (RingResponse.NO_ANSWER,),
                (RingResponse.BUSY,),
                (RingResponse.MACHINE, RingResponse.ANSWER),
            )
        )
        traits = {"answers": answers, "ring_s": round(rng.uniform(1, 10), 1), "talks_s": 1800.0}
        yield PersonSpec(f"agent-{index}", number, traits)
