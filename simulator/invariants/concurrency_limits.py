"""P3 held against what there are few of: lines of a campaign's flow, and channels of the account.

A call takes its place from when the exchange took its order until it has ended.
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
    """So many places there are for calls like these, each of which takes as many as it `lines_needed`."""

    what: str
    maximum: int
    calls: Sequence[PlacedCall]
    lines_needed: Callable[[PlacedCall], int]


def judge_concurrency(
    calls: Sequence[PlacedCall], simulation: Simulation, settings: Settings, results: PromiseResults
) -> None:
    results.count_occasions("P3 at once", simulation.host.count_holds(HOLD_REASONS))
    for limit in _limits(calls, settings):
        for call, others in calls_over_limit(limit):
            going_on = [
                each for each in others if not seemed_finished(each, call.since, simulation, settings)
            ]
            if sum(map(limit.lines_needed, going_on)) + limit.lines_needed(call) <= limit.maximum:
                results.add_excused("P3 at once", CLOCK_SET_FORWARD)
                continue
            results.add_violation(
                "P3 at once",
                f"callback {call.sid} was ordered at {call.since} beside {len(others)} others, and "
                f"there are {limit.maximum} {limit.what}",
                *(call.sid, *(each.sid for each in others)),
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
    """(call, others): the calls for which there was no place any more, and those that had one."""
    going_on: list[PlacedCall] = []
    for call in sorted(limit.calls, key=lambda each: each.since):
        going_on = [each for each in going_on if each.is_active_at(call.since)]
        if sum(map(limit.lines_needed, going_on)) + limit.lines_needed(call) > limit.maximum:
            yield call, list(going_on)
        going_on.append(call)
