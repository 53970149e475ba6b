"""Checks the promises after a run: compares the exchange's ground truth with the raw tables.

This file checks P1, P2, P5 and P6: incoming calls and their outcomes. `contact_limits` checks contacts,
`reasons_and_figures` checks reasons and analytics, and `observer` checks what only shows during a run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from missedd.config.loader import Settings
from simulator.exchange.model.records import Delivery
from simulator.harness.scenario_run import Simulation
from simulator.invariants.already_spoken_with import judge_spoken_with
from simulator.invariants.concurrency_limits import judge_concurrency
from simulator.invariants.consents import judge_consents
from simulator.invariants.contact_limits import judge_contacts
from simulator.invariants.observer import StoreObserver
from simulator.invariants.one_callback_a_person import judge_double_callbacks
from simulator.invariants.one_sms_a_call import judge_sms
from simulator.invariants.placed_calls import load_placed_calls
from simulator.invariants.polls import judge_polls
from simulator.invariants.promise_results import PromiseResults
from simulator.invariants.provider_outages import judge_provider_outages
from simulator.invariants.reasons_and_figures import judge_reasons_and_analytics
from simulator.invariants.repeat_callers import judge_repeat_callers
from simulator.invariants.verifications import judge_verifications

STATUS_REPORTS = ("call-status", "sms-status")


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """A finished run, and the results of its checks."""

    simulation: Simulation
    settings: Settings
    observer: StoreObserver
    results: PromiseResults


async def judge_promises(case: JudgedCase) -> None:
    """Check every promise that can be checked at the end of a run."""
    await _judge_kept(case)
    await _judge_once(case)
    await _judge_final(case)
    await _judge_accounted(case)
    await _judge_outcomes(case)
    await judge_contacts(case.simulation, case.settings, case.observer, case.results)
    await judge_provider_outages(case.simulation, case.observer, case.results)
    await judge_spoken_with(case.simulation, case.observer, case.results)
    calls = await load_placed_calls(case.simulation, case.settings, case.observer)
    judge_concurrency(calls, case.simulation, case.settings, case.results)
    await judge_double_callbacks(calls, case.simulation, case.settings, case.observer, case.results)
    await judge_repeat_callers(calls, case.simulation, case.observer, case.results)
    await judge_reasons_and_analytics(case.simulation, case.settings, case.observer, case.results)
    await judge_sms(case.simulation, case.observer, case.results)
    await judge_polls(case.simulation, case.settings, case.observer, case.results)
    await judge_consents(case.settings, case.observer, case.results)
    await judge_verifications(case.simulation, case.settings, case.observer, case.results)


def _is_acknowledged(delivery: Delivery) -> bool:
    return delivery.status is not None and 200 <= delivery.status < 300


async def _judge_kept(case: JudgedCase) -> None:
    ground_truth, results = case.simulation.exchange.ground_truth, case.results
    calls = {sid for (sid,) in await case.observer.rows("SELECT call_sid FROM calls")}
    for sid in ground_truth.acknowledged_calls():
        results.check("P1 kept", sid in calls, f"call {sid} was acknowledged and is not in the database", sid)
    reports = Counter(
        dict(
            await case.observer.rows(
                "SELECT provider_sid, count(*) FROM reports WHERE source = 'report' GROUP BY 1"
            )
        )
    )
    acknowledged = Counter(
        delivery.call_sid
        for delivery in ground_truth.deliveries
        if delivery.kind in STATUS_REPORTS and _is_acknowledged(delivery)
    )
    for sid, count in acknowledged.items():
        results.check(
            "P1 kept",
            reports[sid] >= count,
            f"{count} status reports of {sid} were acknowledged, {reports[sid]} kept",
            sid,
        )


async def _judge_once(case: JudgedCase) -> None:
    ground_truth, results = case.simulation.exchange.ground_truth, case.results
    known = {
        str(action_id): (kind, number)
        for action_id, kind, number in await case.observer.rows("SELECT id, kind, number FROM actions")
    }
    attempted = {
        str(action_id) for (action_id,) in await case.observer.rows("SELECT action_id FROM attempts")
    }
    made: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for call in ground_truth.connects:
        made["callback", call.fields.get("CustomField", "")].append(call.sid)
        kind, number = known.get(call.fields.get("CustomField", ""), ("", ""))
        # The owner of an erased number can't be checked any more.
        is_theirs = number in (call.from_number, call.to_number) or number.startswith("erased:")
        results.check(
            "P2 once",
            kind == "callback" and is_theirs,
            f"call {call.sid} to {call.from_number} was made for no action of theirs",
            call.sid,
        )
    for text in ground_truth.texts:
        if text.via == "api":
            made["sms", text.fields.get("CustomField", "")].append(text.sid)
    for (kind, action_id), sids in made.items():
        about = (f"action {action_id}", *sids)
        results.check(
            "P2 once", len(sids) == 1, f"{kind} {action_id} was made {len(sids)} times: {sids}", *about
        )
        results.check(
            "P2 once", action_id in attempted, f"{kind} {action_id} left no attempt on record", *about
        )
    planned = await case.observer.rows(
        """SELECT call_id, kind, count(*) FROM actions
           WHERE origin_id IS NULL AND details ->> 'verification' IS NULL GROUP BY 1, 2 HAVING count(*) > 1"""
    )
    for call_id, kind, count in planned:
        results.add_violation("P2 once", f"call {call_id} led to {count} actions of the kind {kind}")


async def _judge_final(case: JudgedCase) -> None:
    """Count the occasions on which a final state could have changed: late reports on closed actions."""
    ((late,),) = await case.observer.rows("SELECT count(*) FROM reports WHERE effect LIKE '%already final%'")
    case.results.count_occasions("P4 final", late)


async def _judge_accounted(case: JudgedCase) -> None:
    ground_truth, results = case.simulation.exchange.ground_truth, case.results
    verdicts = dict(await case.observer.rows("SELECT call_sid, verdict FROM calls"))
    made = {ring.call_sid for ring in ground_truth.inbound} | {call.sid for call in ground_truth.connects}
    for sid in sorted(verdicts.keys() - made):
        results.add_violation("P5 accounted", f"call {sid} is in the database and nobody made it", sid)
    for delivery in ground_truth.deliveries:
        if delivery.kind != "missed-call" or delivery.verdict in (None, "redelivered", "not-missed"):
            continue
        stored = verdicts.get(delivery.call_sid)
        results.check(
            "P5 accounted",
            stored == delivery.verdict,
            f"the answer to {delivery.call_sid} was {delivery.verdict}, the database has {stored}",
            delivery.call_sid,
        )
    by_reason = await _count_listed_verdicts(case)
    results.check(
        "P5 accounted",
        by_reason.total() == len(verdicts) >= len(ground_truth.acknowledged_calls()),
        f"the listed verdicts add up to {by_reason.total()}, there are {len(verdicts)} calls",
    )


async def _count_listed_verdicts(case: JudgedCase) -> Counter[tuple[str, str]]:
    """Count the calls by verdict and reason, over all pages of the daemon's own list."""
    counts: Counter[tuple[str, str]] = Counter()
    cursor = ""
    while True:
        page = await case.simulation.daemons.request_json("GET", f"/api/v1/calls?limit=50{cursor}")
        counts.update((call["verdict"], call["reason"]) for call in page["items"])
        if page["next"] is None:
            return counts
        cursor = f"&cursor={quote(page['next'])}"


async def _judge_outcomes(case: JudgedCase) -> None:
    results = case.results
    rows = await case.observer.rows("SELECT id, kind, state, outcome, reason FROM actions ORDER BY id")
    for action_id, kind, state, outcome, reason in rows:
        results.check(
            "P6 outcome",
            outcome is not None,
            f"{kind} {action_id} is still {state} ({reason})",
            f"action {action_id}",
        )
    kinds: defaultdict[int, set[str]] = defaultdict(set)
    for call_id, kind in await case.observer.rows("SELECT call_id, kind FROM actions"):
        kinds[call_id].add(kind)
    accepted = await case.observer.rows("SELECT id, call_sid, campaign FROM calls WHERE verdict = 'accepted'")
    for call_id, sid, name in accepted:
        owed = _owed_kinds(case.settings, name)
        results.check(
            "P6 outcome",
            owed <= kinds[call_id],
            f"call {sid} was accepted, and of what is owed {sorted(owed - kinds[call_id])} is missing",
            sid,
        )


def _owed_kinds(settings: Settings, name: str) -> set[str]:
    campaign: Any = settings.policy.campaign(name)
    has = {
        "callback": campaign.callback,
        "sms": campaign.sms,
        "lead": campaign.lead_source,
        "webhook": campaign.webhook,
        "vote": campaign.vote,
        "subscribe": campaign.subscribe,
        "unsubscribe": campaign.unsubscribe,
        "verify": campaign.verify,
    }
    return {kind for kind, policy in has.items() if policy is not None}
