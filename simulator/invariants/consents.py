"""P9 for the lists: the subscribers of each list, and the opt-outs, equal a recount.

The recount sorts all subscriptions and withdrawals by their own time and applies them in that order.
It shares only the tables with the daemon, and none of its code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from missedd.config.loader import Settings
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

type ConsentEntry = tuple[int, bool, int]
"""An instant (microseconds), whether the entry leaves the list, and the call id (0 for an operator)."""

type ConsentRecords = dict[int, tuple[str, int | None]]
"""By call id: the standing of each call that joined, and when its consent ended (microseconds)."""


async def judge_consents(settings: Settings, observer: StoreObserver, results: PromiseResults) -> None:
    entries: defaultdict[tuple[str, str], list[ConsentEntry]] = defaultdict(list)
    for kind, name, number, at, call_id in await observer.rows(
        """SELECT a.kind, a.details ->> 'list', a.number, c.called_at, c.id
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.kind IN ('subscribe', 'unsubscribe')"""
    ):
        entries[name, number].append((at, kind == "unsubscribe", call_id))
    for name, number, at in await observer.rows(
        "SELECT list, number, at FROM withdrawals WHERE call_id IS NULL"
    ):
        entries[name, number].append((at, True, 0))
    kept: defaultdict[tuple[str, str], ConsentRecords] = defaultdict(dict)
    for name, number, call_id, standing, ended in await observer.rows(
        "SELECT list, number, call_id, standing, withdrawn_at FROM subscriptions"
    ):
        kept[name, number][call_id] = (standing, ended)
    for owner in sorted(entries.keys() | kept.keys()):
        wanted = _recount_consents(entries[owner])
        results.check(
            "P9 figures",
            kept[owner] == wanted,
            f"list {owner[0]}: {kept[owner]} is kept of {owner[1]}, counted are {wanted}",
            owner[1],
        )
    await _judge_opt_outs(settings, observer, results)


def _recount_consents(entries: Iterable[ConsentEntry]) -> ConsentRecords:
    kept: ConsentRecords = {}
    current = None
    for at, leaves, call_id in sorted(entries):
        if not leaves:
            kept[call_id] = ("repeated" if current is not None else "in-force", None)
            current = call_id if current is None else current
        elif current is not None:
            kept[current] = ("withdrawn", at)
            current = None
    return kept


async def _judge_opt_outs(settings: Settings, observer: StoreObserver, results: PromiseResults) -> None:
    """A number is suppressed if its last opt-out is later than its last joining of a list.

    Numbers that an operator has released are not checked.
    """
    opting_out = {campaign.name for campaign in settings.policy.campaigns if campaign.opts_callers_out}
    choices: defaultdict[str, list[Any]] = defaultdict(list)
    for kind, campaign, number, at in await observer.rows(
        """SELECT a.kind, a.campaign, a.number, c.called_at
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.kind IN ('subscribe', 'unsubscribe')"""
    ):
        if kind == "subscribe" or campaign in opting_out:
            choices[number].append((at, kind == "unsubscribe"))
    lifted = {
        number
        for (number,) in await observer.rows("SELECT subject FROM audit WHERE deed = 'number.released'")
    }
    barred = {
        number
        for (number,) in await observer.rows("SELECT number FROM suppressions WHERE source = 'opt-out'")
    }
    for number, entries in sorted(choices.items()):
        opted_out = max(entries)[1]
        if number not in lifted:
            results.check(
                "P9 figures",
                (number in barred) == opted_out,
                f"{number} {'is' if number in barred else 'is not'} stored as opted out, "
                f"by their latest call they {'did' if opted_out else 'did not'} opt out",
                number,
            )
