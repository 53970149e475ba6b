"""Promises of several daemons: never two leaders send, and somebody leads soon.

Both are checked against what the simulation sees from outside: which daemon sent each request in which of
its terms, when each term began, and which daemons could have led at each moment.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final

from simulator.exchange.model.records import RequestSender
from simulator.invariants.promise_results import PromiseResults

SENT_AFTER_CLAIM: Final = timedelta(seconds=0.5)
"""A request leaves at most this long after its claim, so this long after the next term has begun."""

VACANCY_LIMIT: Final = timedelta(seconds=15)
"""A lease of 10 s must run out, and the next leader must recover."""


@dataclass(frozen=True, slots=True)
class TermStart:
    """`began_at` is true time."""

    epoch: int
    node: int
    began_at: datetime


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request to the provider or to an application, at the true time at which it left."""

    at: datetime
    target: str
    sent_by: RequestSender


def judge_one_sender(
    terms: Iterable[TermStart], requests: Iterable[SentRequest], results: PromiseResults
) -> None:
    """Each request leaves in a term of its sender, and not after a later term has begun."""
    ordered = sorted(terms, key=lambda term: term.began_at)
    starts = [term.began_at for term in ordered]
    newest = [term.epoch for term in ordered]
    epochs = list(accumulate(newest, max))
    leaders = {term.epoch: term.node for term in ordered}
    for request in requests:
        epoch, node = request.sent_by.epoch, request.sent_by.node
        index = bisect_right(starts, request.at - SENT_AFTER_CLAIM) - 1
        if epoch is None:
            is_right = False
        else:
            is_right = leaders.get(epoch) == node and (index < 0 or epochs[index] <= epoch)
        results.check(
            "P12 one sender",
            is_right,
            f"node {node} sent a {request.target} at {request.at} in its term {epoch}, when term "
            f"{epochs[index] if index >= 0 else 'none'} had begun",
        )


class VacancyWatch:
    """Told again and again who leads and who could, it finds times in which nobody led for too long."""

    def __init__(self, results: PromiseResults) -> None:
        self._results = results
        self._vacant_since: datetime | None = None
        self._able_since: dict[int, datetime] = {}
        self._is_reported = False

    def note(self, now: datetime, leaders: Sequence[int], able: Sequence[int]) -> None:
        """`leaders` lead, and `able` are up and may lead, by their numbers. `now` is true time."""
        self._able_since = {node: self._able_since.get(node, now) for node in able}
        if leaders:
            if self._vacant_since is not None:
                self._results.count_occasions("P12 vacancy")
            self._vacant_since, self._is_reported = None, False
            return
        since = self._vacant_since = self._vacant_since or now
        for node, able_since in self._able_since.items():
            if now - max(since, able_since) > VACANCY_LIMIT and not self._is_reported:
                self._is_reported = True
                self._results.add_violation(
                    "P12 vacancy", f"nobody leads since {since}, though node {node} could since {able_since}"
                )
