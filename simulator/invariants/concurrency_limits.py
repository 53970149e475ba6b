"""P3 for limited resources: the lines of a campaign's flow, and the channels of the account.

A call counts from the instant the exchange accepts its request until the call ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from missedd.config.loader import Settings
from simulator.harness.scenario_run import Simulation
from simulator.invariants.placed_calls import CLOCK_SET_FORWARD, PlacedCall, seemed_finished
from simulator.invariants.promise_results import PromiseResults

HOLD_REASONS = ("calls-at-once", "channels-busy")


@dataclass(frozen=True, slots=True)
class ConcurrencyLimit:
    """A limit of `maximum` lines for `calls`. Each call takes `lines_needed(call)` of these lines."""

    what: str
    maximum: int
    calls: Sequence[PlacedCall]
    lines_needed: Callable[[PlacedCall], int]


def judge_concurrency(
    calls: Sequence[PlacedCall], simulation: Simulation, settings: Settings, results: PromiseResults
) -> None:
    results.count_occasions("P3 at once", simulation.daemons.count_holds(HOLD_REASONS))
    for limit in _limits(calls, settings):
        for call, others in calls_over_limit(limit):
            active = [
                other for other in others if not seemed_finished(other, call.since, simulation, settings)
            ]
            if sum(map(limit.lines_needed, active)) + limit.lines_needed(call) <= limit.maximum:
                results.add_excused("P3 at once", CLOCK_SET_FORWARD)
                continue
            results.add_violation(
                "P3 at once",
                f"callback {call.sid} was ordered at {call.since} beside {len(others)} others, and "
                f"there are {limit.maximum} {limit.what}",
                *(call.sid, *(other.sid for other in others)),
            )


def _limits(calls: Sequence[PlacedCall], settings: Settings) -> Iterator[ConcurrencyLimit]:
    if settings.exotel.channels is not None:
        yield ConcurrencyLimit("channels", settings.exotel.channels, calls, lambda call: len(call.numbers))
    for campaign in settings.policy.campaigns:
        callback = campaign.callback
        if callback is not None and callback.flow is not None and callback.calls_at_once is not None:
            own = [each for each in calls if each.campaign == campaign.name]
            yield ConcurrencyLimit(
                f"calls at once of {campaign.name}", callback.calls_at_once, own, lambda call: 1
            )


def calls_over_limit(limit: ConcurrencyLimit) -> Iterator[tuple[PlacedCall, list[PlacedCall]]]:
    """(call, others): each call that exceeded the limit, and the calls that were active then."""
    active: list[PlacedCall] = []
    for call in sorted(limit.calls, key=lambda each: each.since):
        active = [other for other in active if other.is_active_at(call.since)]
        if sum(map(limit.lines_needed, active)) + limit.lines_needed(call) > limit.maximum:
            yield call, list(active)
        active.append(call)
