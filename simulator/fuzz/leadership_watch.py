"""Watches a run of several daemons: who leads, who could, and what was sent in which term."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import trio

from simulator.harness.daemon_host import DaemonHost
from simulator.harness.scenario_run import Simulation
from simulator.invariants.one_leader import SentRequest, TermStart, VacancyWatch, judge_one_sender
from simulator.invariants.promise_results import PromiseResults

LOOK_EVERY_S: Final = 1.0

RIGHT_CLOCK: Final = timedelta(seconds=1.8)
"""A daemon does not lead if its clock is 2 s away from the database's; at 1.9 s it may or may not."""


async def watch_leadership(simulation: Simulation, results: PromiseResults) -> None:
    """Look at short intervals who leads; for ever."""
    watch = VacancyWatch(results)
    hosts, terms = simulation.daemons.hosts, 0
    while True:
        await trio.sleep(LOOK_EVERY_S)
        before, terms = terms, sum(len(host.terms) for host in hosts)
        # Who was elected and died while it recovered led for a moment: the time begins anew.
        was_elected = [0] if terms > before else []
        leaders = [number for number, host in enumerate(hosts, 1) if host.leads] or was_elected
        able = [number for number, host in enumerate(hosts, 1) if _may_lead(host)]
        watch.note(simulation.true_now(), leaders, able)


def _may_lead(host: DaemonHost) -> bool:
    node = host.node
    return (
        node is not None
        and host.is_up
        and node.standstill.since_s is None
        and node.why_no_database() is None
        and not node.database.is_troubled
        and abs(host.clock.offset) < RIGHT_CLOCK
    )


def judge_terms(simulation: Simulation, results: PromiseResults) -> None:
    """Check each request that any daemon sent against the terms."""
    terms = [
        TermStart(epoch, number, _at(simulation, began_s))
        for number, host in enumerate(simulation.daemons.hosts, 1)
        for epoch, began_s in host.terms
    ]
    _count_takeovers(simulation, terms)
    judge_one_sender(terms, _requests(simulation), results)


def _at(simulation: Simulation, trio_s: float) -> datetime:
    return simulation.true_now() - timedelta(seconds=trio.current_time() - trio_s)


def _count_takeovers(simulation: Simulation, terms: list[TermStart]) -> None:
    if simulation.database is not None:
        ordered = sorted(terms, key=lambda term: term.epoch)
        pairs = pairwise(ordered)
        simulation.database.situations["takeovers"] += sum(one.node != next_.node for one, next_ in pairs)


def _requests(simulation: Simulation) -> Iterator[SentRequest]:
    for request in simulation.exchange.ground_truth.api_requests:
        if request.sent_by is not None:
            yield SentRequest(request.at, request.target, request.sent_by)
    for message in simulation.customer_apps.messages:
        if message.sent_by is not None:
            yield SentRequest(message.at, "webhook", message.sent_by)
