"""P11 held against every call of ours: nobody is rung twice at once, or again without having asked.

    10:00:00  callback to Asha, who talks until 10:03
    10:01:00  callback to Asha, of whichever campaign             broken: one call
    10:05:00  callback to Asha, of the same campaign              broken: spoken
    10:05:00  the same, as Asha rang the campaign at 10:04        kept

The exchange's truth decides. From the daemon's tables comes only which calls it accepted, or owed a
callback as somebody rang back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from missedd.config.loader import Settings
from simulator.exchange.model.numbering_plan import concurrent_calls
from simulator.exchange.model.records import InboundRing
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.placed_calls import CLOCK_SET_FORWARD, PlacedCall, seemed_finished
from simulator.invariants.promise_results import PromiseResults

HOLD_REASONS = ("caller-being-rung", "agent-busy")
"""Why an order waits that would have broken the promise: as the daemon's log names it."""


@dataclass(frozen=True, slots=True)
class CallbackTrigger:
    """A person asked a campaign to be rung, by a call of theirs that began at `at`."""

    number: str
    campaign: str
    at: datetime
    known_at: datetime
    """When the daemon may first have heard of it."""


async def judge_double_callbacks(
    calls: Sequence[PlacedCall],
    simulation: Simulation,
    settings: Settings,
    observer: StoreObserver,
    results: PromiseResults,
) -> None:
    results.count_occasions("P11 one call", simulation.host.count_holds(HOLD_REASONS))
    ((replaced,),) = await observer.rows("SELECT count(*) FROM actions WHERE reason = 'already-owed'")
    results.count_occasions("P11 owed", replaced)
    limits = agent_limits(settings)
    for call, number, other in overlapping_calls(calls, limits.get):
        if seemed_finished(other, call.since, simulation, settings):
            results.add_excused("P11 one call", CLOCK_SET_FORWARD)
            continue
        results.add_violation(
            "P11 one call",
            f"callback {call.sid} was ordered at {call.since} and rings {number}, as {other.sid} of "
            f"{other.campaign} does until {other.until}",
            *(call.sid, other.sid, number),
        )
    for call, talk, is_wished in repeated_calls(calls, await _load_callback_triggers(simulation, observer)):
        results.check(
            "P11 spoken",
            is_wished,
            f"callback {call.sid} was ordered at {call.since} to {call.number}, who talked with "
            f"{call.campaign} in {talk.sid} from {talk.talked_from} to {talk.until} and has not rung since",
            *(call.sid, talk.sid, call.number),
        )


def agent_limits(settings: Settings) -> dict[str, int | None]:
    """How many calls each agent takes at once: the smallest number that a campaign says, None for any."""
    said: defaultdict[str, list[int]] = defaultdict(list)
    for campaign in settings.policy.campaigns:
        for agent in campaign.callback.agents if campaign.callback else ():
            of_campaign = campaign.callback.calls_at_once if campaign.callback else None
            by_plan = concurrent_calls(agent.number)
            limit = next(
                (each for each in (agent.calls_at_once, of_campaign, by_plan) if each is not None), None
            )
            said[agent.number] += [] if limit is None else [limit]
    return {number: min(limits, default=None) for number, limits in said.items()}


def overlapping_calls(
    calls: Sequence[PlacedCall], limit_of: Callable[[str], int | None]
) -> Iterator[tuple[PlacedCall, str, PlacedCall]]:
    """(call, number, other): `call` was ordered as `other` occupied the number, and no more may.

    A caller has one call at a time, with whoever it is; an agent as many as `limit_of` says of them.
    The order alone breaks it: at the exchange whoever is on the phone is busy and may not ring.
    """
    open_calls: defaultdict[str, list[PlacedCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda each: each.since):
        for number in call.numbers:
            others = open_calls[number] = [
                each for each in open_calls[number] if each is call or each.is_active_at(call.since)
            ]
            is_callers = any(each.number == number for each in (call, *others))
            limit = 1 if is_callers else limit_of(number)
            if limit is not None and len(others) >= limit:
                yield call, number, others[0]
            others.append(call)


def repeated_calls(
    calls: Sequence[PlacedCall], triggers: Iterable[CallbackTrigger]
) -> Iterator[tuple[PlacedCall, PlacedCall, bool]]:
    """(call, talk, is wished): of every call to somebody after a talk, by the same campaign, that had ended.

    The latest talk counts. A wish is one from after its beginning that can be known at the order.
    """
    asked: defaultdict[tuple[str, str], list[CallbackTrigger]] = defaultdict(list)
    for wish in triggers:
        asked[wish.number, wish.campaign].append(wish)
    talks: defaultdict[tuple[str, str], list[PlacedCall]] = defaultdict(list)
    for call in calls:
        if call.talked_from is not None:
            talks[call.number, call.campaign].append(call)
    for call in calls:
        owner = (call.number, call.campaign)
        before = [each for each in talks[owner] if each is not call and each.until <= call.since]
        if not before:
            continue
        talk = max(before, key=lambda each: each.until)
        since = talk.talked_from
        yield (
            call,
            talk,
            any(
                since is not None and each.at > since and each.known_at <= call.since for each in asked[owner]
            ),
        )


async def _load_callback_triggers(simulation: Simulation, observer: StoreObserver) -> list[CallbackTrigger]:
    truth = simulation.exchange.ground_truth
    rows = await observer.rows(
        """SELECT c.call_sid, c.campaign, c.shape FROM calls c
           WHERE c.verdict = 'accepted' OR (c.verdict = 'duplicate' AND EXISTS (
               SELECT 1 FROM actions a WHERE a.call_id = c.id AND a.kind = 'callback'))"""
    )
    wishes = []
    for sid, campaign, shape in rows:
        ring = truth.call(sid)
        if not isinstance(ring, InboundRing):
            continue  # accounted for as such
        # One that was found in the provider's list was told of by nobody.
        posts = [each.at for each in truth.deliveries_of(sid) if each.kind in ("missed-call", "sms-text")]
        told_at = ring.rung_at if shape == "recovered" else min(posts, default=ring.rung_at)
        wishes.append(CallbackTrigger(ring.number, campaign, ring.rung_at, told_at))
    return wishes
