"""P3 held against what there are few of: lines of a campaign's flow, and channels of the account.

A call takes its place from when the exchange took its order until it has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from missedd.config.loader import Settings
from simulator.harness.scenario_run import Stage
from simulator.invariants.placed_calls import SET_ON, OurCall, seemed_over
from simulator.invariants.promise_results import Tally

HELD = ("calls-at-once", "channels-busy")


@dataclass(frozen=True, slots=True)
class Limit:
    """So many places there are for calls like these, each of which takes as many as it `needs`."""

    what: str
    most: int
    calls: Sequence[OurCall]
    needs: Callable[[OurCall], int]


def judge_places(calls: Sequence[OurCall], stage: Stage, settings: Settings, tally: Tally) -> None:
    tally.reach("P3 at once", stage.host.times_held(HELD))
    for limit in _limits(calls, settings):
        for call, others in crowded(limit):
            going_on = [each for each in others if not seemed_over(each, call.since, stage, settings)]
            if sum(map(limit.needs, going_on)) + limit.needs(call) <= limit.most:
                tally.excuse("P3 at once", SET_ON)
                continue
            tally.breach(
                "P3 at once",
                f"callback {call.sid} was ordered at {call.since} beside {len(others)} others, and "
                f"there are {limit.most} {limit.what}",
                *(call.sid, *(each.sid for each in others)),
            )


def _limits(calls: Sequence[OurCall], settings: Settings) -> Iterator[Limit]:
    if settings.exotel.channels is not None:
        yield Limit("channels", settings.exotel.channels, calls, lambda call: len(call.numbers))
    for campaign in settings.policy.campaigns:
        callback = campaign.callback
        if callback is not None and callback.flow is not None and callback.calls_at_once is not None:
            own = [each for each in calls if each.campaign == campaign.name]
            yield Limit(f"calls at once of {campaign.name}", callback.calls_at_once, own, lambda call: 1)


def crowded(limit: Limit) -> Iterator[tuple[OurCall, list[OurCall]]]:
    """(call, others): the calls for which there was no place any more, and those that had one."""
    going_on: list[OurCall] = []
    for call in sorted(limit.calls, key=lambda each: each.since):
        going_on = [each for each in going_on if each.lasts_at(call.since)]
        if sum(map(limit.needs, going_on)) + limit.needs(call) > limit.most:
            yield call, list(going_on)
        going_on.append(call)
