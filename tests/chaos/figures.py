"""How long each kind of fault was felt: by callers, and by those who were owed something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from tests.chaos.callers import is_regular
from tests.chaos.stored import ContactAction

HELD_UP = (timedelta(seconds=-2), timedelta(seconds=10))
"""A fault may hold up what is due from shortly before it until the lease is over."""


@dataclass(frozen=True, slots=True)
class Round:
    kind: str
    struck_at: datetime


@dataclass(frozen=True, slots=True)
class KindFigures:
    pauses_s: list[float]
    """From each fault to the first 200 for what was posted after it."""
    overdue_s: list[float]
    """Of each fault: how long the last of what it held up waited until it was out or looked up."""

    def __str__(self) -> str:
        spreads = (
            f"{median(seconds):8.1f} {max(seconds):6.1f}" for seconds in (self.pauses_s, self.overdue_s)
        )
        return f"{len(self.pauses_s):6} {' '.join(spreads)}"


HEADING = f"""\
{"":16}        until first 200  until due is out
{"":16} rounds   median    max   median    max  (seconds)"""


def figures_by_kind(
    rounds: Iterable[Round],
    truth: Mapping[str, Any],
    actions: Mapping[str, ContactAction],
    ended_at: datetime,
) -> dict[str, KindFigures]:
    """`ended_at` stands for what never came."""
    taken = [
        (at, at + timedelta(seconds=each["latency_s"]))
        for each in truth["deliveries"]
        if each["kind"] == "missed-call" and each["status"] == 200
        for at in (datetime.fromisoformat(each["at"]),)
    ]
    # A regular's callback may wait for the end of a call to the same telephone, fault or not. What is in
    # doubt was out or not: a look-up that finds nothing leaves no trace.
    clear = [each for each in actions.values() if not is_regular(each.number) and not each.is_in_doubt]
    figures: defaultdict[str, KindFigures] = defaultdict(lambda: KindFigures([], []))
    for each in rounds:
        first = min((until for at, until in taken if at >= each.struck_at), default=ended_at)
        low, high = (each.struck_at + bound for bound in HELD_UP)
        held_up = (action for action in clear if low <= action.due_at <= high)
        figures[each.kind].pauses_s.append((first - each.struck_at).total_seconds())
        figures[each.kind].overdue_s.append(
            max((action.overdue_s(each.struck_at, ended_at) for action in held_up), default=0.0)
        )
    return dict(sorted(figures.items()))
