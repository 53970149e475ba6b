"""The promises by name, and the results of a run: how often each was checked, and its violations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

PROMISES = {
    "P1 kept": "a missed call, or a status report, that got its 2xx is in the database",
    "P2 once": "one intent, one call or text: never two for one action",
    "P3 suppression": "nobody is contacted who is suppressed",
    "P3 country": "nobody is contacted whose country the campaign leaves out",
    "P3 pause": "nobody is contacted for a campaign that is paused",
    "P3 reached": "nobody is called back whom the campaign has spoken with since they rang",
    "P3 hours": "promotional contacts keep the quiet hours, callbacks the business hours and their agent's",
    "P3 cap": "no number is called more often in any hour than its campaign allows",
    "P3 budget": "the account's requests stay within its budget in any minute",
    "P3 at once": "no more calls go on at once than a campaign's flow, or the account's channels, take",
    "P3 probes": "while the provider refuses the account, or throttles SMS, one order at a time asks again",
    "P4 final": "no outcome, once set, is changed or forgotten",
    "P5 accounted": "accepted and refusals by reason add up to the distinct calls that came in",
    "P6 outcome": "when the faults have stopped, every action reaches an outcome in time",
    "P6 held": "nothing is closed for a trouble of the line or the account, nothing held once it is over",
    "P7 timers": "at rest, timers in memory are those due on disk",
    "P8 reasons": "every verdict and every standing has a reason that holds and can be told",
    "P9 figures": "the analytics and the polls equal a recount",
    "P10 repeatable": "the same seed gives the same run",
    "P11 one call": "no phone is rung by us while a call of ours to it rings or talks",
    "P11 spoken": "nobody with whom a callback was talked through is called back before they ring again",
    "P11 owed": "a campaign owes a person one callback that has not gone out yet, however many arise",
    "P11 heard": "who rings back after a callback in which nobody talked is owed another",
}
"""The promises of docs/testing.md; P3, P6 and P11 are split into parts. Failures show the keys."""

CLUSTER_PROMISES = {
    "P12 one sender": "nothing leaves from a term once a later one has begun, but what was just claimed",
    "P12 vacancy": "within 15 s somebody leads, while a daemon that may lead is alive",
}
"""What is promised of several daemons beside all of `PROMISES`."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise. `about` names the things concerned: Sids, numbers, `action 7`."""

    promise: str
    what: str
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        promised = (PROMISES | CLUSTER_PROMISES).get(self.promise, "it stays up")
        return f"{self.promise}: {self.what}\n  promised: {promised}"


@dataclass(slots=True)
class PromiseResults:
    occasions: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    excused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By promise and reason: cases that broke the promise, but that no daemon could have known."""

    def check(self, promise: str, is_kept: bool, what: str, *about: str) -> None:
        """Count one check, and add a violation if the promise is not kept."""
        self.occasions[promise] += 1
        if not is_kept:
            self.add_violation(promise, what, *about)

    def count_occasions(self, promise: str, times: int = 1) -> None:
        """Count occasions on which the promise could have been broken."""
        self.occasions[promise] += times

    def add_excused(self, promise: str, why: str) -> None:
        """Count a case that no daemon could have known."""
        self.excused[promise, why] += 1

    def add_violation(self, promise: str, what: str, *about: str) -> None:
        self.violations.append(Violation(promise, what, about))
