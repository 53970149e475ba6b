"""Draws the numbers of people: most from India, some from abroad; and the countries of campaigns.

Uses a random generator of its own, so that the other draws of the seed stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from simulator.exchange.model.people import SmsDeliveryResult
from simulator.scenario.scenario import PersonSpec

FOREIGN_PREFIXES = (
    *("+881612345", "+23276123", "+25261234", "+5352123", "+971501234"),
    *("+1212555", "+1876555", "+447400123"),
)
"""Satellite, premium ranges, the Gulf; and two countries that share the calling code 1."""
SHARED_CODE_PREFIXES = ("+1212555", "+1876555", "+1876556")
AMERICAN_PREFIX = "+1312555"
"""The first digits of an ExoPhone of the United States."""
UNOWNED_EXOPHONE = "+918047120099"
"""An ExoPhone of the account without a campaign: some campaigns call from it, some people call it back."""
_FREQUENT_CALLERS = 4
_COUNTRIES = (["IN", "AE"], ["AE"], ["US", "IN"], "any")


def draw_numbers(
    seed: int, people: tuple[PersonSpec, ...], campaigns: list[dict[str, Any]]
) -> tuple[PersonSpec, ...]:
    """Return the people, some of them with foreign numbers; some campaigns get countries or another ExoPhone.

    Operators refuse SMS to some of the frequent callers.
    """
    rng = Random(f"numbers {seed}")  # noqa: S311 - repeatable on purpose
    people = tuple(
        replace(
            each,
            traits={**each.traits, "sms": rng.choice((SmsDeliveryResult.DND, SmsDeliveryResult.INVALID))},
        )
        if index < _FREQUENT_CALLERS and rng.random() < 0.3
        else each
        for index, each in enumerate(people)
    )
    if rng.random() < 0.3:
        return people
    prefixes: Sequence[str] = FOREIGN_PREFIXES
    for index, campaign in enumerate(campaigns):
        if rng.random() < 0.4:
            campaign["contact"] = {"countries": rng.choice(_COUNTRIES)}
        elif rng.random() < 0.4:
            campaign["exophones"][0] = f"{AMERICAN_PREFIX}{index:04d}"
            prefixes = SHARED_CODE_PREFIXES
        if "callback" in campaign and rng.random() < 0.3:
            campaign["callback"]["caller_id"] = rng.choice((UNOWNED_EXOPHONE, campaigns[0]["exophones"][0]))
    return tuple(
        replace(each, number=_foreign_number(rng, prefixes, index)) if rng.random() < 0.25 else each
        for index, each in enumerate(people)
    )


def _foreign_number(rng: Random, prefixes: Sequence[str], index: int) -> str:
    """A number of its own: prefixes are of different lengths, and so are the numbers of their countries."""
    prefix = rng.choice(prefixes)
    length = {"+1": 12, "+4": 13, "+8": 13, "+9": 13, "+5": 11}.get(prefix[:2], 12)
    return prefix + f"{index + 100:0{length - len(prefix)}d}"
