"""Draws a run of several daemons from a seed: the run of one daemon, with faults of nodes and of their links.

Every daemon reports to the database every two seconds, and the leader reads it every second. So an idle day
of three daemons costs minutes, and what would make a run wait over night is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Final

from simulator.fuzz.random_scenario import draw_scenario
from simulator.scenario.cluster import LEADER, ClusterSpec
from simulator.scenario.scenario import Scenario, TimelineEvent

CLUSTER_MINUTES: Final = 8
"""Of calls and faults. The daemons are dealt a fault every two minutes or so."""

MOST_DELAY_S: Final = 60

_LONG_RETRIES: Final = (["5m", "15m"], ["70m"])

_DROPPED_EVENTS: Final = ("daemon", "clock_step", "disk")
"""Events that the run of one daemon has, and which are drawn here anew."""


def draw_cluster_scenario(seed: int, daemons: int, minutes: int = CLUSTER_MINUTES) -> Scenario:
    """Draw the run of a seed with so many daemons. The same numbers draw the same run."""
    single = draw_scenario(seed, minutes, by_day=True)
    rng = Random(f"cluster {seed} {daemons}")  # noqa: S311 - repeatable on purpose
    events = [_without_long_delay(event) for event in single.timeline if event.kind not in _DROPPED_EVENTS]
    events += _draw_node_events(rng, daemons, minutes)
    return replace(
        single,
        name=f"seed-{seed}-of-{daemons}",
        daemon={**single.daemon, "campaign": [_without_nights(each) for each in single.daemon["campaign"]]},
        timeline=tuple(sorted(events, key=lambda event: event.at)),
        cluster=ClusterSpec(daemons, _draw_skew(rng, daemons)),
    )


def _without_long_delay(event: TimelineEvent) -> TimelineEvent:
    """Requests that come hours late need no second daemon to be interesting."""
    delay = event.params.get("delay", 0)
    if event.kind != "fault" or not isinstance(delay, int | float) or delay <= MOST_DELAY_S:
        return event
    return replace(event, params={**event.params, "delay": MOST_DELAY_S})


def _without_nights(campaign: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in campaign.items() if key not in ("hours", "after_hours")}
    callback = kept.get("callback")
    if callback and callback.get("agents"):
        agents = [
            {key: value for key, value in agent.items() if key != "open"}
            if isinstance(agent, dict)
            else agent
            for agent in callback["agents"]
        ]
        kept["callback"] = {**callback, "agents": agents}
    return kept


def _draw_skew(rng: Random, daemons: int) -> tuple[timedelta, ...]:
    """In half of the runs all clocks are right: then every instant can be judged."""
    if rng.random() < 0.5:
        return ()
    most_s = rng.choice((0.3, 0.3, 1.5, 3.0))
    return tuple(timedelta(seconds=round(rng.uniform(-most_s, most_s), 2)) for _ in range(daemons))


def _draw_node_events(rng: Random, daemons: int, minutes: int) -> Iterator[TimelineEvent]:
    draws = (_pause, _pause, _crash, _restart, _rolling_restart, _cut, _database, _commits, _crash_at_step)
    favourites = rng.sample(draws, rng.randint(2, 5))
    for _ in range(rng.randint(minutes // 4, minutes // 2)):
        kind, params = rng.choice(favourites)(rng, daemons)
        at = timedelta(seconds=round(rng.uniform(15, minutes * 60 - 90), 1))
        yield TimelineEvent(at, kind, params, kind)
    if rng.random() < 0.3:
        at = timedelta(seconds=round(rng.uniform(15, minutes * 60 - 90), 1))
        step = {"clock_step": rng.choice(("+1s", "-1s", "+3s", "-3s")), "node": _node(rng, daemons)}
        yield TimelineEvent(at, "clock_step", step, "clock_step")


def _node(rng: Random, daemons: int) -> int | str:
    return LEADER if rng.random() < 0.6 else rng.randint(1, daemons)


def _pause(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    params = {"daemon": "pause", "node": _node(rng, daemons), "for": rng.choice((5, 9, 12, 20, 60))}
    if rng.random() < 0.7:
        params["after_writes"] = rng.randint(1, 6)
    return "daemon", params


def _crash(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    return "daemon", {"daemon": "crash", "node": _node(rng, daemons), "down": rng.choice((1, 5, 20, 120))}


def _restart(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    return "daemon", {"daemon": "restart", "node": _node(rng, daemons), "down": rng.choice((1, 5, 20))}


def _rolling_restart(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    return "daemon", {"daemon": "restart", "down": rng.choice((0, 2))}


def _cut(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    link = rng.choice(("database", "database", "news", "provider"))
    return "cut", {"cut": link, "node": _node(rng, daemons), "for": rng.choice((2, 7, 12, 30, 90))}


def _database(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    return "database", {"database": "away", "for": rng.choice((1, 3, 8, 25))}


def _commits(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    params = {
        "database": rng.choice(("lose-commits", "lose-answers")),
        "probability": rng.choice((0.1, 0.3, 1.0)),
        "for": rng.choice((2, 10, 60)),
    }
    return "database", params


def _crash_at_step(rng: Random, daemons: int) -> tuple[str, dict[str, Any]]:
    params = {
        "disk": "crash",
        "when": rng.choice(("begin", "before", "after")),
        "probability": rng.choice((0.02, 0.1)),
        "node": _node(rng, daemons),
        "for": rng.choice((10, 60)),
    }
    return "disk", params
