"""Draws the poll and the list of a run, and which campaigns use them.

The poll opens and closes within the run and the callers are few, so that repeated votes, late webhooks
and the closing meet. Each function uses a random generator of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

POLL_NAME = "singer"
LIST_SUBSCRIPTION = {"list": "weather", "purpose": "alerts"}


def draw_polls(seed: int, campaigns: list[dict[str, Any]], start: datetime, minutes: int) -> dict[str, Any]:
    """Give some campaigns a vote; return the `poll` tables of the configuration, empty without votes."""
    rng = Random(f"the polls of {seed}")  # noqa: S311 - repeatable on purpose
    if rng.random() < 0.5:
        for index, campaign in enumerate(campaigns):
            if rng.random() < 0.8:
                campaign["vote"] = {"poll": POLL_NAME, "option": f"option-{index}"}
    if not any("vote" in campaign for campaign in campaigns):
        return {}
    poll: dict[str, Any] = {
        "name": POLL_NAME,
        "votes_per_number": rng.choice((1, 1, 2, 3)),
        "keep": rng.choice(("first", "last")),
    }
    if rng.random() < 0.4:
        poll["opens_at"] = start + timedelta(minutes=minutes * rng.uniform(0, 0.4))
    if rng.random() < 0.6:
        poll["closes_at"] = start + timedelta(minutes=minutes * rng.uniform(0.5, 1))
    return {"poll": [poll]}


def draw_lists(seed: int, campaigns: list[dict[str, Any]]) -> None:
    """Let some campaigns subscribe callers to the list, and others unsubscribe them."""
    rng = Random(f"the list of {seed}")  # noqa: S311 - repeatable on purpose
    if rng.random() < 0.5:
        return
    for campaign in campaigns:
        if campaign.keys() & {"subscribe", "unsubscribe"}:
            continue
        if rng.random() < 0.5:
            campaign["subscribe"] = LIST_SUBSCRIPTION
        elif rng.random() < 0.6:
            campaign["unsubscribe"] = draw_unsubscribe(rng)


def draw_unsubscribe(rng: Random) -> dict[str, Any]:
    return {"list": LIST_SUBSCRIPTION["list"], "suppress": rng.random() < 0.75}
