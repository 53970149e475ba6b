"""P6 and P3 during a provider outage: no action is closed for it, and one request at a time probes.

Two outages are checked: a refusal of the account, until a request is accepted; and the 503 of the SMS
lane, until another answer comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from simulator.exchange.model.faults import ACCOUNT_FAULTS
from simulator.exchange.model.records import ApiRequest
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

MIN_PROBE_INTERVAL: Final = timedelta(seconds=4.9)
"""A probe comes at least five seconds after a failure; 0.1 s allows for rounding of float clocks."""

IN_FLIGHT_TIME: Final = timedelta(seconds=1)
"""Extra time for requests that left before the first refusal was known, beyond the provider's latency."""


async def judge_provider_outages(
    simulation: Simulation, observer: StoreObserver, results: PromiseResults
) -> None:
    await _judge_nothing_closed(observer, results)
    # On a slow disk, requests that were claimed already leave late.
    slow_s = simulation.exchange.settings.api_latency_s + 2 * simulation.daemons.longest_stall_s
    slack = IN_FLIGHT_TIME + timedelta(seconds=slow_s)
    for target in ("connect", "sms"):
        requests = [
            request for request in simulation.exchange.ground_truth.api_requests if request.target == target
        ]
        _judge_probe_rate(requests, target, simulation.start_times(), slack, results)


async def _judge_nothing_closed(observer: StoreObserver, results: PromiseResults) -> None:
    rows = await observer.rows(
        """SELECT a.id, a.kind, a.outcome, a.reason FROM actions a
           WHERE a.kind IN ('callback', 'sms') AND a.state = 'done' AND EXISTS (
               SELECT 1 FROM attempts t WHERE t.action_id = a.id
                 AND t.reason IN ('connection-failed', 'provider-auth', 'account-problem', 'rate-limited'))
           ORDER BY a.id"""
    )
    for action_id, kind, outcome, reason in rows:
        results.check(
            "P6 held",
            reason not in ("connection-failed", "provider-auth", "account-problem", "rate-limited"),
            f"{kind} {action_id} ended as {outcome} ({reason}), which is no fault of the call's",
            f"action {action_id}",
        )


def _judge_probe_rate(
    requests: Iterable[ApiRequest],
    target: str,
    starts: list[datetime],
    slack: timedelta,
    results: PromiseResults,
) -> None:
    began: datetime | None = None
    before: datetime | None = None
    is_of_account = False
    for request in requests:
        if began is not None and any(began < start <= request.at for start in starts):
            began = None  # after a start the daemon tries held actions again
        if began is not None and before is not None and request.at > began + slack:
            results.check(
                "P3 probes",
                request.at - before >= MIN_PROBE_INTERVAL,
                f"{target} was requested at {request.at}, {request.at - before} after the request before, "
                f"though the provider had refused since {began}",
            )
            if request.status == 200 or not (is_of_account or request.status == 503):
                began = None
        elif began is not None and began < request.at and request.status == 200:
            began = None  # perhaps a probe, whose success ended the outage
        of_account = request.fault in ACCOUNT_FAULTS
        is_throttled = target == "sms" and request.status == 503
        if (of_account and not (began and is_of_account)) or (is_throttled and began is None):
            began, is_of_account = request.at, of_account
        before = request.at
