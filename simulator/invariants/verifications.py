"""P4 and P9 for verifications: one call of the right number, in time, proves each.

The check compares the tables with the calls that came in. The observer checks that a closed verification
stays closed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from missedd.config.loader import Settings
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

CLOCK_TOLERANCE_US: Final = 5_000_000
PROMISE: Final = "P9 figures"


async def judge_verifications(
    simulation: Simulation, settings: Settings, observer: StoreObserver, results: PromiseResults
) -> None:
    rows = await observer.rows(
        """SELECT v.id, v.number, v.campaign, v.created_at, v.expires_at, v.status, v.call_id,
                  c.caller, c.campaign, c.called_at
           FROM verifications v LEFT JOIN calls c ON c.id = v.call_id ORDER BY v.created_at, v.id"""
    )
    attempts = await observer.rows(
        """SELECT a.call_id, a.number, a.campaign, c.called_at, c.received_at, a.reason
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.kind = 'verify'"""
    )
    webhook_counts: Counter[str] = Counter(
        dict(
            await observer.rows(
                """SELECT details ->> 'verification', count(*) FROM actions
                   WHERE kind = 'webhook' AND details ->> 'verification' IS NOT NULL GROUP BY 1"""
            )
        )
    )
    proofs = {call_id for call_id, *_, reason in attempts if reason == "verified"}
    for row in rows:
        # After a clock step, a call from an hour before may seem to have come since.
        comparable = [] if simulation.daemons.were_clocks_wrong else attempts
        _judge_verification(settings, row, comparable, webhook_counts, results)
    wanted = sorted(row[6] for row in rows if row[5] == "verified")
    results.check(
        PROMISE, sorted(proofs) == wanted, f"calls {sorted(proofs)} have reason verified, {wanted} proved one"
    )


def _judge_verification(
    settings: Settings,
    row: tuple[Any, ...],
    attempts: list[tuple[Any, ...]],
    webhook_counts: Counter[str],
    results: PromiseResults,
) -> None:
    name, number, campaign, created, expires, status, _, caller, dialled, called = row
    begins = created - CLOCK_TOLERANCE_US
    if status == "verified":
        right = (caller, dialled) == (number, campaign) and begins <= called < expires
        results.check(PROMISE, right, f"{number} was verified by a call of {caller} at {called}", number)
    policy = settings.policy.campaign(campaign)
    webhooks = int(status == "verified" and policy is not None and policy.webhook is not None)
    results.check(
        PROMISE,
        webhook_counts[name] == webhooks,
        f"{webhook_counts[name]} webhooks report verification {name}, not {webhooks}",
        number,
    )
    if status == "pending":
        ignored = [
            attempt
            for attempt in attempts
            if attempt[1:3] == (number, campaign) and begins <= attempt[3] < expires and attempt[4] >= created
        ]
        results.check(PROMISE, not ignored, f"verification {name} is pending, though its call came", number)
