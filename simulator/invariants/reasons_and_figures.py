"""P8 and P9: every reason is known, correct and explained; the analytics equal a recount."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import product
from typing import Final
from urllib.parse import urlencode

from missedd.base.clock import EPOCH, to_iso
from missedd.config.loader import Settings
from missedd.core.reasons import Reason
from simulator.exchange.model.call_shapes import CallShape
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks.inbound_scripts import script_of
from simulator.harness.scenario_run import Simulation
from simulator.invariants.figures_recount import differences, recount_analytics
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

MINUTE_US: Final = 60_000_000


async def judge_reasons_and_analytics(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    await _judge_known_reasons(observer, results)
    await _judge_dedup_reasons(simulation, settings, observer, results)
    await _judge_cap_reasons(simulation, settings, observer, results)
    await _judge_explanations(simulation, settings, observer, results)
    await _judge_leads(observer, results)
    await _judge_analytics(simulation, settings, observer, results)


async def _judge_known_reasons(observer: StoreObserver, results: PromiseResults) -> None:
    known = {reason.value for reason in Reason}
    for table in ("calls", "actions", "attempts", "verifications"):
        rows = await observer.rows(f"SELECT id, reason FROM {table} WHERE reason IS NOT NULL")  # noqa: S608
        for row_id, reason in rows:
            results.check(
                "P8 reasons", reason in known, f"{table} {row_id} has the unknown reason {reason!r}"
            )


async def _judge_dedup_reasons(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    """A duplicate has an accepted call within the window; an accepted call has none before it.

    A call that turns out to be answered opens no window for calls received after that report.
    """
    rows = await observer.rows(
        """SELECT id, call_sid, caller, campaign, called_at / 1e6, verdict, received_at, reached_at FROM calls
           WHERE verdict IN ('accepted', 'duplicate') ORDER BY id"""
    )
    windows = {campaign.name: campaign.dedup_window.total_seconds() for campaign in settings.policy.campaigns}
    accepted = [row for row in rows if row[5] == "accepted"]
    # The first request of a call creates its row, but a later request may decide the verdict.
    early = {
        ring.call_sid for ring in simulation.exchange.ground_truth.inbound if _may_be_reported_early(ring)
    }
    for call_id, sid, caller, campaign, at_s, verdict, received_us, _ in rows:
        near = [
            each
            for each in accepted
            if each[2:4] == (caller, campaign)
            and (each[0] < call_id or (each[0] != call_id and not early.isdisjoint((sid, each[1]))))
            and abs(at_s - each[4]) < windows[campaign]
            and (each[7] is None or each[7] >= received_us or simulation.daemons.were_clocks_wrong)
        ]
        # A report and a call of one instant may have come in either order; after a clock step any two may.
        sure = [
            each
            for each in near
            if (each[7] is None or (each[7] > received_us and not simulation.daemons.were_clocks_wrong))
            and early.isdisjoint((sid, each[1]))
        ]
        results.check(
            "P8 reasons",
            bool(near) if verdict == "duplicate" else not sure,
            f"call {sid} is {verdict} with {len(near)} accepted calls in its dedup window before it",
            sid,
            caller,
        )


def _may_be_reported_early(ring: InboundRing) -> bool:
    """Whether a request about neither a missed call nor a call's end may have come first."""
    requests = script_of(CallShape(ring.shape), ring.talked_s).requests
    return any(not request.event.tells_end for request in requests)


async def _judge_cap_reasons(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    """A callback that the cap closed had `max_per_hour` others within the hour before.

    Callbacks that only rang an agent do not count.
    """
    if simulation.daemons.were_clocks_wrong:
        return  # the daemon's clock measures the hour
    tries = await observer.rows(
        """SELECT a.id, a.number, a.campaign, t.started_at, a.closed_at,
                  a.outcome = 'failed' AND a.reason IN ('agent-busy', 'agent-no-answer', 'agent-failed')
           FROM attempts t JOIN actions a ON a.id = t.action_id AND a.kind = 'callback'"""
    )
    for action_id, number, campaign, at_us in await observer.rows(
        """SELECT id, number, campaign, closed_at FROM actions
           WHERE kind = 'callback' AND outcome = 'dropped' AND reason = 'max-per-hour'"""
    ):
        callback = getattr(settings.policy.campaign(campaign), "callback", None)
        counted = {
            tried_id
            for tried_id, called, called_by, started_us, closed_us, is_miss in tries
            if (called, called_by) == (number, campaign)
            and at_us - 60 * MINUTE_US < started_us <= at_us
            and not (is_miss and closed_us <= at_us)
        }
        results.check(
            "P8 reasons",
            callback is not None and len(counted) >= callback.max_per_hour,
            f"callback {action_id} was closed at the cap, with {len(counted)} in the hour before",
            f"action {action_id}",
            number,
        )


async def _judge_explanations(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    for (sid,) in await observer.rows("SELECT call_sid FROM calls ORDER BY id"):
        call = await simulation.daemons.request_call(sid)
        explanation = simulation.daemons.explain(call)
        reasons = {call.reason, *(action.reason for action in call.actions)}
        results.check(
            "P8 reasons",
            all(f"[{reason}]" in explanation for reason in reasons),
            f"the explanation of {sid} leaves out a reason",
            sid,
        )


async def _judge_leads(observer: StoreObserver, results: PromiseResults) -> None:
    """A lead has the outcome of its latest callback and the number of its calls.

    A lead is contacted if a callback to it, or a call from it, was answered. The check allows any state of
    a lead that an operator has marked.
    """
    callbacks = await observer.rows(
        """SELECT campaign, number, outcome, placed_at, closed_at, id FROM actions
           WHERE kind = 'callback' AND state = 'done'"""
    )
    calls = Counter(
        await observer.rows("SELECT campaign, caller FROM calls WHERE verdict IN ('accepted', 'duplicate')")
    )
    marked = {
        int(lead) for (lead,) in await observer.rows("SELECT subject FROM audit WHERE deed = 'lead.marked'")
    }
    taken = set(
        await observer.rows(
            "SELECT campaign, caller FROM calls WHERE reason = 'conversation' OR reached_by = 'conversation'"
        )
    )
    for lead_id, campaign, number, outcome, contacted_at, count in await observer.rows(
        "SELECT id, campaign, number, callback_outcome, contacted_at, count FROM leads"
    ):
        mine = [each for each in callbacks if each[:2] == (campaign, number)]
        latest = max(mine, key=lambda each: (each[3] or 0, each[4], each[5]), default=(None,) * 6)
        is_reached = any(each[2] == "answered" for each in mine)
        may_be = is_reached or lead_id in marked or (campaign, number) in taken
        stored, counted = (outcome, count), (latest[2], calls[campaign, number])
        results.check(
            "P9 figures", stored == counted, f"the lead of {number} has {stored}, counted {counted}", number
        )
        results.check(
            "P9 figures",
            (is_reached <= (contacted_at is not None) <= may_be) or lead_id in marked,
            f"the lead of {number} was {'' if is_reached else 'not '}reached, contacted at {contacted_at}",
            number,
        )


async def _judge_analytics(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    """Compare the API's analytics with a recount, for all calls and for a period, of every campaign."""
    ((first, last),) = await observer.rows("SELECT min(called_at), max(called_at) FROM calls")
    if first is None:
        return
    between = (
        EPOCH + timedelta(minutes=first // MINUTE_US + 17),
        EPOCH + timedelta(minutes=last // MINUTE_US - 11),
    )
    names = (None, *(campaign.name for campaign in settings.policy.campaigns))
    for name, (since, until) in product(names, ((None, None), between)):
        if since is not None and until is not None and since > until:
            continue
        query = {"campaign": name, "since": to_iso(since), "until": to_iso(until)}
        reported = await simulation.daemons.request_json(
            "GET", f"/api/v1/analytics?{urlencode({key: text for key, text in query.items() if text})}"
        )
        counted = await recount_analytics(observer.rows, name, since, until, settings.timezone)
        if counted["verdicts"]:
            wrong = differences(reported, counted)
            results.check("P9 figures", not wrong, f"of {query}: reported and counted {wrong}")
