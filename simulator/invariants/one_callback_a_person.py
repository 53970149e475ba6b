"""P11 for every callback: no person gets two at once, or another one without a new call.

    10:00:00  callback to Asha, who talks until 10:03
    10:01:00  callback to Asha, of any campaign                   broken: one call
    10:05:00  callback to Asha, of the same campaign              broken: spoken
    10:05:00  the same, but Asha called the campaign at 10:04     kept

The exchange's ground truth decides. The daemon's tables only say which calls were accepted, or were owed
a callback because the caller called again.
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
"""Reasons, as in the daemon's log, for which a request waits that would have broken the promise."""


@dataclass(frozen=True, slots=True)
class CallbackTrigger:
    """A call of a person at `at` (true time) that asks the campaign for a callback."""

    number: str
    campaign: str
    at: datetime
    known_at: datetime
    """The earliest time at which the daemon can know of the call."""


async def judge_double_callbacks(
    calls: Sequence[PlacedCall],
    simulation: Simulation,
    settings: Settings,
    observer: StoreObserver,
    results: PromiseResults,
) -> None:
    results.count_occasions("P11 one call", simulation.daemons.count_holds(HOLD_REASONS))
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
    for call, talk, is_asked_for in repeated_calls(
        calls, await _load_callback_triggers(simulation, observer)
    ):
        results.check(
            "P11 spoken",
            is_asked_for,
            f"callback {call.sid} was ordered at {call.since} to {call.number}, who talked with "
            f"{call.campaign} in {talk.sid} from {talk.talked_from} to {talk.until} and has not rung since",
            *(call.sid, talk.sid, call.number),
        )


def agent_limits(settings: Settings) -> dict[str, int | None]:
    """How many calls each agent takes at once: the smallest limit of all campaigns, None for no limit."""
    limits: defaultdict[str, list[int]] = defaultdict(list)
    for campaign in settings.policy.campaigns:
        for agent in campaign.callback.agents if campaign.callback else ():
            of_campaign = campaign.callback.calls_at_once if campaign.callback else None
            by_plan = concurrent_calls(agent.number)
            limit = next(
                (each for each in (agent.calls_at_once, of_campaign, by_plan) if each is not None), None
            )
            limits[agent.number] += [] if limit is None else [limit]
    return {number: min(values, default=None) for number, values in limits.items()}


def overlapping_calls(
    calls: Sequence[PlacedCall], limit_of: Callable[[str], int | None]
) -> Iterator[tuple[PlacedCall, str, PlacedCall]]:
    """(call, number, other): `call` was requested while `other` occupied the number, above the limit.

    A caller has one call at a time; an agent has as many as `limit_of` returns. The request alone breaks
    the promise: at the exchange the busy phone does not ring.
    """
    open_calls: defaultdict[str, list[PlacedCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda each: each.since):
        for number in call.numbers:
            others = open_calls[number] = [
                other for other in open_calls[number] if other is call or other.is_active_at(call.since)
            ]
            is_callers = any(each.number == number for each in (call, *others))
            limit = 1 if is_callers else limit_of(number)
            if limit is not None and len(others) >= limit:
                yield call, number, others[0]
            others.append(call)


def repeated_calls(
    calls: Sequence[PlacedCall], triggers: Iterable[CallbackTrigger]
) -> Iterator[tuple[PlacedCall, PlacedCall, bool]]:
    """(call, talk, is asked for): every callback after a finished conversation with the same campaign.

    The latest conversation counts. A callback is asked for if the person called after that conversation
    began, and the daemon could know of the call when it requested the callback.
    """
    asked: defaultdict[tuple[str, str], list[CallbackTrigger]] = defaultdict(list)
    for trigger in triggers:
        asked[trigger.number, trigger.campaign].append(trigger)
    talks: defaultdict[tuple[str, str], list[PlacedCall]] = defaultdict(list)
    for call in calls:
        if call.talked_from is not None:
            talks[call.number, call.campaign].append(call)
    for call in calls:
        owner = (call.number, call.campaign)
        before = [talk for talk in talks[owner] if talk is not call and talk.until <= call.since]
        if not before:
            continue
        talk = max(before, key=lambda each: each.until)
        since = talk.talked_from
        yield (
            call,
            talk,
            any(
                since is not None and trigger.at > since and trigger.known_at <= call.since
                for trigger in asked[owner]
            ),
        )


async def _load_callback_triggers(simulation: Simulation, observer: StoreObserver) -> list[CallbackTrigger]:
    ground_truth = simulation.exchange.ground_truth
    rows = await observer.rows(
        """SELECT c.call_sid, c.campaign, c.shape FROM calls c
           WHERE c.verdict = 'accepted' OR (c.verdict = 'duplicate' AND EXISTS (
               SELECT 1 FROM actions a WHERE a.call_id = c.id AND a.kind = 'callback'))"""
    )
    triggers = []
    for sid, campaign, shape in rows:
        ring = ground_truth.call(sid)
        if not isinstance(ring, InboundRing):
            continue  # P5 reports it
        # A call that was recovered from the provider's list had no webhook.
        webhooks = [
            delivery.at
            for delivery in ground_truth.deliveries_of(sid)
            if delivery.kind in ("missed-call", "sms-text")
        ]
        known_at = ring.rung_at if shape == "recovered" else min(webhooks, default=ring.rung_at)
        triggers.append(CallbackTrigger(ring.number, campaign, ring.rung_at, known_at))
    return triggers
