"""P11 for callers with whom nobody spoke: a new call after an unanswered callback is owed another one.

11:00:30  callback to Asha, who does not answer
11:02:00  Asha calls again, which is a duplicate      a callback is owed for the call, or one waits already
11:02:30  callback to Asha, who talks until 11:04
11:03:00  Asha called meanwhile                       its callback may be cancelled: they have spoken
11:05:00  Asha calls again                            its callback may not be cancelled, whenever the
                                                      report of 11:04 comes
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.exchange.model.ground_truth import GroundTruth
from simulator.exchange.model.records import InboundRing
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.placed_calls import PlacedCall
from simulator.invariants.promise_results import PromiseResults

UNANSWERED_OUTCOMES = ("no-answer", "busy", "failed")

_SECOND = timedelta(seconds=1)
"""Exotel reports instants in whole seconds."""


@dataclass(frozen=True, slots=True)
class _RecordedCallback:
    """A callback as the daemon stores it. `called_at` is true time; `_us` values are by its own clock."""

    action: str
    called_at: datetime
    created_us: int
    waited_until_us: int | None
    """When the callback was placed or closed; None while it waits."""
    outcome: str
    reason: str


async def judge_repeat_callers(
    calls: Iterable[PlacedCall], simulation: Simulation, observer: StoreObserver, results: PromiseResults
) -> None:
    if simulation.daemons.were_clocks_wrong:
        return  # after a clock step, before and after can't be told apart
    ground_truth = simulation.exchange.ground_truth
    callbacks = await _load_callbacks(ground_truth, observer)
    outcomes = {callback.action: callback.outcome for mine in callbacks.values() for callback in mine}
    placed: defaultdict[tuple[str, str], list[PlacedCall]] = defaultdict(list)
    for call in calls:
        placed[call.number, call.campaign].append(call)
    duplicates = await observer.rows(
        "SELECT call_sid, campaign, received_at FROM calls WHERE verdict = 'duplicate' ORDER BY id"
    )
    for sid, campaign, received_us in duplicates:
        ring = ground_truth.call(sid)
        if not isinstance(ring, InboundRing):
            continue
        owner = (ring.number, campaign)
        before = [call for call in placed[owner] if call.since < ring.rung_at]
        last = max(before, key=lambda each: each.since, default=None)
        if last is None or last.until > ring.rung_at or last.talked_from is not None:
            continue
        if outcomes.get(last.action) in UNANSWERED_OUTCOMES:
            results.check(
                "P11 heard",
                any(_covers_call(each, last.until, received_us) for each in callbacks[owner]),
                f"{ring.number} called again in {sid} at {ring.rung_at}, after callback {last.sid} had ended "
                f"unanswered at {last.until}, and is owed no callback",
                *(sid, last.sid, ring.number),
            )
    for (number, campaign), mine in callbacks.items():
        for callback in mine:
            if callback.outcome == "cancelled" and callback.reason == "reached-otherwise":
                talks = (call for call in placed[number, campaign] if outcomes.get(call.action) == "answered")
                results.check(
                    "P11 heard",
                    any(each.until >= callback.called_at - _SECOND for each in talks)
                    or _was_inbound_answered(ground_truth, number, callback.called_at),
                    f"callback {callback.action} to {number} was cancelled, and nobody spoke with them since "
                    f"they called at {callback.called_at}",
                    *(f"action {callback.action}", number),
                )


async def _load_callbacks(
    ground_truth: GroundTruth, observer: StoreObserver
) -> defaultdict[tuple[str, str], list[_RecordedCallback]]:
    """By caller and campaign. The number comes from the exchange: the daemon's may be erased."""
    found: defaultdict[tuple[str, str], list[_RecordedCallback]] = defaultdict(list)
    for action_id, sid, campaign, created_us, placed_us, closed_us, outcome, reason in await observer.rows(
        """SELECT a.id, c.call_sid, a.campaign, a.created_at, a.placed_at, a.closed_at, a.outcome, a.reason
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.kind = 'callback'"""
    ):
        ring = ground_truth.call(sid)
        if isinstance(ring, InboundRing):
            left_us = closed_us if placed_us is None else placed_us
            found[ring.number, campaign].append(
                _RecordedCallback(str(action_id), ring.rung_at, created_us, left_us, outcome, reason)
            )
    return found


def _covers_call(callback: _RecordedCallback, since: datetime, received_us: int) -> bool:
    """Whether the callback is for a call after `since`, or was waiting when the call was received."""
    waited = callback.created_us <= received_us and (callback.waited_until_us or received_us) >= received_us
    return waited or callback.called_at >= since - _SECOND


def _was_inbound_answered(ground_truth: GroundTruth, number: str, since: datetime) -> bool:
    """Whether a call of the number at `since` or later was answered, or left a voicemail."""
    return any(
        max(filter(None, (ring.talked_until, ring.voicemail_at)), default=since - 2 * _SECOND)
        >= since - _SECOND
        for ring in ground_truth.inbound
        if ring.number == number
    )
