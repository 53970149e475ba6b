"""P9 for the lists: who is on which, and who opted out, equals a recount of what was said.

The recount goes through everything that was said in the order of its own time, as somebody with
the whole correspondence on the desk would. It shares nothing with the daemon but the tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from missedd.config.loader import Settings
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults

type ConsentEntry = tuple[int, bool, int]
"""An instant, whether it leaves the list, and the call (0 for an operator's word)."""

type ConsentRecords = dict[int, tuple[str, int | None]]
"""What each call that joined is worth, and when that ended."""


async def judge_consents(settings: Settings, observer: StoreObserver, results: PromiseResults) -> None:
    said: defaultdict[tuple[str, str], list[ConsentEntry]] = defaultdict(list)
    for kind, name, number, at, call_id in await observer.rows(
        """SELECT a.kind, a.details ->> 'list', a.number, c.called_at, c.id
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.kind IN ('subscribe', 'unsubscribe')"""
    ):
        said[name, number].append((at, kind == "unsubscribe", call_id))
    for name, number, at in await observer.rows(
        "SELECT list, number, at FROM withdrawals WHERE call_id IS NULL"
    ):
        said[name, number].append((at, True, 0))
    kept: defaultdict[tuple[str, str], ConsentRecords] = defaultdict(dict)
    for name, number, call_id, standing, ended in await observer.rows(
        "SELECT list, number, call_id, standing, withdrawn_at FROM subscriptions"
    ):
        kept[name, number][call_id] = (standing, ended)
    for owner in sorted(said.keys() | kept.keys()):
        wanted = _recount_consents(said[owner])
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
    """Barred is whoever opted out after they last joined a list, unless an operator has lifted it."""
    opting_out = {each.name for each in settings.policy.campaigns if each.opts_callers_out}
    latest: defaultdict[str, list[Any]] = defaultdict(list)
    for kind, campaign, number, at in await observer.rows(
        """SELECT a.kind, a.campaign, a.number, c.called_at
           FROM actions a JOIN calls c ON c.id = a.call_id WHERE a.kind IN ('subscribe', 'unsubscribe')"""
    ):
        if kind == "subscribe" or campaign in opting_out:
            latest[number].append((at, kind == "unsubscribe"))
    lifted = {
        number
        for (number,) in await observer.rows("SELECT subject FROM audit WHERE deed = 'number.released'")
    }
    barred = {
        number
        for (number,) in await observer.rows("SELECT number FROM suppressions WHERE source = 'opt-out'")
    }
    for number, words in sorted(latest.items()):
        if number not in lifted:
            results.check(
                "P9 figures",
                (number in barred) == max(words)[1],
                f"{number} {'stands' if number in barred else 'does not stand'} as opted out, "
                f"by their latest word they {'did' if max(words)[1] else 'did not'}",
                number,
            )
