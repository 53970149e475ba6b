"""Draws the faults of a run.

Some combinations are left out, as no client could cope with them without idempotency keys. Example: a
refused connection, a 429, or the 503 of the SMS lane means that nothing happened, so none of them comes
*after* the effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from simulator.scenario.scenario import TimelineEvent

PROBABILITIES = (0.03, 0.1, 0.3, 0.7, 1.0)
API_TARGETS = ("connect", "connect", "sms", "details", "list", "sms-details", "any")
API_FAULTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("refuse-connection", ("before",)),
    ("timeout", ("before", "after")),
    ("drop-reply", ("before", "after")),
    ("http-429", ("before",)),
    ("http-500", ("before", "after")),
    ("http-503", ("before", "after")),
    ("ok-without-sid", ("before", "after")),
    ("error-in-200", ("before", "after")),
    ("malformed-body", ("before", "after")),
    ("slow", ("before", "after")),
)
WEBHOOK_FAULT_NAMES = ("lose", "duplicate", "delay", "reorder", "hang-up")
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def draw_random_faults(rng: Random, minutes: int) -> list[TimelineEvent]:
    """Draw the faults of one run; each begins and ends within its minutes."""
    share = rng.choice((0.0, 0.15, 0.3, 0.5))
    faults = [
        *_draw_api_faults(rng, share),
        *_draw_webhook_faults(rng, share, minutes),
        *_draw_disk_faults(rng, share),
    ]
    events = []
    for kind, params in faults:
        begin_s = rng.uniform(0, minutes * 60 * 0.8)
        for_s = rng.choice((MINUTE_S, 10 * MINUTE_S, HOUR_S, minutes * 60))
        params["for"] = max(1, round(min(for_s, minutes * 60 - begin_s)))
        events.append(_event_at(begin_s, kind, params))
    events += _draw_daemon_events(rng, share, minutes)
    return events


def _draw_api_faults(rng: Random, share: float) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, whens in API_FAULTS:
        for when in whens:
            if rng.random() >= share:
                continue
            params: dict[str, Any] = {
                "fault": name,
                "target": rng.choice(API_TARGETS),
                "when": when,
                "probability": rng.choice(PROBABILITIES),
            }
            if name == "http-503" and when == "after" and params["target"] in ("sms", "any"):
                params["target"] = "connect"
            if name == "slow":
                params["delay"] = rng.choice((2, 8, 24, 40))
            if name in ("http-429", "http-503") and rng.random() < 0.5:
                params["retry_after"] = rng.choice((0, 5, 60))
            yield "fault", params


OUTAGES = (
    *("refuse-connection", "connect-timeout", "tls-failure", "name-unresolved"),
    *("http-401", "http-402", "http-403", "http-500", "http-503"),
)


def draw_outages(seed: int, minutes: int) -> list[TimelineEvent]:
    """Draw outages of a whole lane, or of the account, each for a while."""
    rng = Random(f"troubles {seed}")  # noqa: S311 - repeatable
    events = []
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        begin_s = rng.uniform(0, minutes * 60 * 0.8)
        params: dict[str, Any] = {
            "fault": rng.choice(OUTAGES),
            "target": rng.choice(("any", "any", "connect", "sms")),
            "probability": rng.choice((1.0, 1.0, 0.9, 0.5)),
            "for": rng.choice((20, MINUTE_S, 10 * MINUTE_S, HOUR_S)),
        }
        events.append(_event_at(begin_s, "fault", params))
    return events


def _draw_webhook_faults(rng: Random, share: float, minutes: int) -> Iterator[tuple[str, dict[str, Any]]]:
    # A short run should be quick, and idle days cost as much time as busy hours.
    latest_s = 2 * DAY_S if minutes > 60 else 6 * HOUR_S
    for target in ("webhook", "report"):
        for name in (*WEBHOOK_FAULT_NAMES, "contradict") if target == "report" else WEBHOOK_FAULT_NAMES:
            if rng.random() >= share:
                continue
            params: dict[str, Any] = {
                "fault": name,
                "target": target,
                "probability": rng.choice(PROBABILITIES),
            }
            match name:
                case "duplicate" | "contradict":
                    params["delay"] = rng.choice((0, 1, 60, 1200))
                case "delay":
                    params["delay"] = rng.choice((MINUTE_S, 20 * MINUTE_S, 3 * HOUR_S, latest_s))
                case "reorder":
                    params["delay"] = rng.choice((5, 60, 600))
                case "hang-up" if rng.random() < 0.6:
                    params["delay"] = rng.choice((0, 0.01, 2))
            yield "fault", params


def _draw_disk_faults(rng: Random, share: float) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("disk-full", "io-error"):
        if rng.random() < share:
            yield (
                "disk",
                {
                    "disk": name,
                    "when": rng.choice(("begin", "before")),
                    "probability": rng.choice(PROBABILITIES),
                },
            )
    for when in ("begin", "before", "after"):
        if rng.random() < max(share, 0.2):
            yield "disk", {"disk": "crash", "when": when, "probability": rng.choice((0.01, 0.05, 0.2))}
    if rng.random() < share:
        yield (
            "disk",
            {
                "disk": "slow-disk",
                "delay": rng.choice((0.05, 1, 8)),
                "probability": rng.choice((0.1, 0.5)),
            },
        )


def _draw_daemon_events(rng: Random, share: float, minutes: int) -> Iterator[TimelineEvent]:
    """Draw restarts and crashes, failures of the application, and steps of the clock."""

    def anywhere() -> float:
        return rng.uniform(0, minutes * 60 - 1)

    for _ in range(rng.choice((0, 1, 2, 4, 8))):
        down_s = rng.choice((1, 1, 10, 10, 600, 2400))
        params = {"daemon": rng.choice(("crash", "crash", "restart")), "down": down_s}
        yield _event_at(anywhere(), "daemon", params)
    if rng.random() < max(share, 0.3):
        for _ in range(rng.randint(1, 3)):
            yield _event_at(anywhere(), "clock_step", {"clock_step": rng.choice(("+1h", "-1h"))})
    if rng.random() < share:
        for_s = rng.choice((MINUTE_S, 20 * MINUTE_S))
        yield _event_at(
            anywhere(), "application", {"application": rng.choice(("down", 500, 429)), "for": for_s}
        )


def _event_at(offset_s: float, kind: str, params: dict[str, Any]) -> TimelineEvent:
    return TimelineEvent(timedelta(seconds=round(offset_s, 1)), kind, params, kind)
