"""The people of a drawn run: callers of every temper, agents, and numbers that nobody should ring or text.

p0 … p5      half of all rings come from these few, so that windows, caps and calls collide
p6 … p25     the rest of the callers
desk         a landline, which takes several calls at once
abroad       a number that it costs to ring
self         one of our own ExoPhones, as a call that is forwarded to it shows
agent-0 …    the agents of the campaigns, who may be busy, or not there, or ring in themselves
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from simulator.exchange.model.people import RingResponse, SmsDeliveryResult
from simulator.fuzz.random_numbers import draw_numbers
from simulator.scenario.scenario import PersonSpec

FREQUENT_CALLERS = 6
"""Half of all rings come from so few numbers that windows, caps and suppressions collide."""

_SMS_RESULTS = (
    *[SmsDeliveryResult.DELIVERED] * 7,
    SmsDeliveryResult.TO_OPERATOR,
    SmsDeliveryResult.DND,
    SmsDeliveryResult.INVALID,
    SmsDeliveryResult.UNAVAILABLE,
)
_LANDLINE = "+912240001999"


def draw_people(rng: Random, seed: int, campaigns: list[dict[str, Any]]) -> tuple[PersonSpec, ...]:
    """Callers first, the small pool before the others, then whoever is odd, then agents."""
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
        # Whoever sees that they missed a call rings back: at once, or when they have the time.
        traits["rings_back"] = tuple(rng.choices((1.0, 5.0, 40.0, 200.0, 900.0), k=rng.randint(1, 3)))
    return PersonSpec(name, number, traits)


def _draw_talk_s(rng: Random) -> float:
    """Mostly so short that a run has many; some talk on while others ring, wait and give up."""
    return round(rng.uniform(1, 90) if rng.random() < 0.75 else rng.uniform(300, 1500), 1)


def _draw_special_people(rng: Random, campaigns: Sequence[Mapping[str, Any]]) -> Iterator[PersonSpec]:
    if rng.random() < 0.4:
        yield _draw_caller(rng, "desk", _LANDLINE)
    if rng.random() < 0.3:
        yield _draw_caller(
            rng, "self", rng.choice([each for owner in campaigns for each in owner["exophones"]])
        )


def _draw_agents(rng: Random, campaigns: Sequence[Mapping[str, Any]]) -> Iterator[PersonSpec]:
    """Most answer whenever they are rung; some take one call in two, and some are never there."""
    numbers = {
        each if isinstance(each, str) else each["number"]
        for campaign in campaigns
        for each in campaign.get("callback", {}).get("agents", ())
    }
    for index, number in enumerate(sorted(numbers)):
        does = rng.choice(
            (
                *[(RingResponse.ANSWER,)] * 3,
                (RingResponse.NO_ANSWER, RingResponse.ANSWER, RingResponse.BUSY, RingResponse.ANSWER),
                (RingResponse.ANSWER, RingResponse.HANGUP, RingResponse.UNREACHABLE, RingResponse.ANSWER),
                (RingResponse.NO_ANSWER,),
                (RingResponse.BUSY,),
                (RingResponse.MACHINE, RingResponse.ANSWER),
            )
        )
        traits = {"answers": does, "ring_s": round(rng.uniform(1, 10), 1), "talks_s": 1800.0}
        yield PersonSpec(f"agent-{index}", number, traits)
