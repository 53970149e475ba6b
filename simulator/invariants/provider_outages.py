"""P6 and P3 where the provider is in trouble: nothing is closed for it, and one request at a time asks again.

Only what no order can do anything about is judged: a refusal of the account, until an order is taken, and
the 503 of the SMS lane, until it is answered otherwise.
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
"""A probe comes five seconds after a failure, or later; clocks of floats differ by less than this allows."""

IN_FLIGHT_TIME: Final = timedelta(seconds=1)
"""Orders that were asked for before the first refusal was known, beside the provider's own time to answer."""


async def judge_provider_outages(
    simulation: Simulation, observer: StoreObserver, results: PromiseResults
) -> None:
    await _judge_nothing_closed(observer, results)
    # Those that were claimed already leave late on a slow disk.
    slow_s = simulation.exchange.settings.api_latency_s + 2 * simulation.host.disk.longest_stall_s
    slack = IN_FLIGHT_TIME + timedelta(seconds=slow_s)
    for target in ("connect", "sms"):
        orders = [each for each in simulation.exchange.ground_truth.api_requests if each.target == target]
        _judge_probe_rate(orders, target, simulation.start_times(), slack, results)


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
    for order in requests:
        if began is not None and any(began < start <= order.at for start in starts):
            began = None  # what was held before a start is tried anew
        if began is not None and before is not None and order.at > began + slack:
            results.check(
                "P3 probes",
                order.at - before >= MIN_PROBE_INTERVAL,
                f"{target} was asked at {order.at}, {order.at - before} after the request before, though the "
                f"provider had refused since {began}",
            )
            if order.status == 200 or not (is_of_account or order.status == 503):
                began = None
        elif began is not None and began < order.at and order.status == 200:
            began = None  # perhaps it went out once the refusal was known, and ended that
        of_account = order.fault in ACCOUNT_FAULTS
        is_throttled = target == "sms" and order.status == 503
        if (of_account and not (began and is_of_account)) or (is_throttled and began is None):
            began, is_of_account = order.at, of_account
        before = order.at
