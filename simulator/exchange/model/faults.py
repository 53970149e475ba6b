"""What can go wrong between Exotel and the daemon, by name, switched on and off while a run goes on.

A fault says what (`name`), where (`target`), when relative to the effect (`when`), and how often
(`times`, `probability`). `before` means that nothing happened at the exchange; `after` that it did
and only the answer suffers: the difference between "try again" and "you may have called already".
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

from simulator.base.choices import Choice


class FaultName(Choice):
    # Of the API's answers.
    REFUSE_CONNECTION = "refuse-connection"
    CONNECT_TIMEOUT = "connect-timeout"
    TLS_FAILURE = "tls-failure"
    NAME_UNRESOLVED = "name-unresolved"
    DROP_REPLY = "drop-reply"
    TIMEOUT = "timeout"
    HTTP_401 = "http-401"
    """The API key or token is wrong."""
    HTTP_402 = "http-402"
    """The account's plan does not allow it."""
    HTTP_403 = "http-403"
    """The account's balance is used up."""
    HTTP_429 = "http-429"
    HTTP_500 = "http-500"
    HTTP_503 = "http-503"
    OK_WITHOUT_SID = "ok-without-sid"
    ERROR_IN_200 = "error-in-200"
    MALFORMED_BODY = "malformed-body"
    SLOW = "slow"
    # Of the posts Exotel makes.
    LOSE = "lose"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"
    HANG_UP = "hang-up"
    CONTRADICT = "contradict"
    """A second status report follows the true one and says something else."""


class FaultTarget(Choice):
    """Where a fault strikes. `sms-details` is SMS look-ups, `other` the API's remaining resources."""

    CONNECT = "connect"
    SMS = "sms"
    DETAILS = "details"
    SMS_DETAILS = "sms-details"
    LIST = "list"
    OTHER = "other"
    WEBHOOK = "webhook"
    """Missed calls on their way to the daemon."""
    REPORT = "report"
    """Status reports on theirs."""
    ANY = "any"
    """Every target that the named fault can strike."""


CONNECT_FAULTS = (
    FaultName.REFUSE_CONNECTION,
    FaultName.CONNECT_TIMEOUT,
    FaultName.TLS_FAILURE,
    FaultName.NAME_UNRESOLVED,
)
ACCOUNT_FAULTS = (FaultName.HTTP_401, FaultName.HTTP_402, FaultName.HTTP_403)
FAULTS_WITHOUT_EFFECT = (*CONNECT_FAULTS, *ACCOUNT_FAULTS)
"""These strike before the effect, whatever `when` says."""

WEBHOOK_TARGETS = (FaultTarget.WEBHOOK, FaultTarget.REPORT)
WEBHOOK_FAULTS = (
    FaultName.LOSE,
    FaultName.DUPLICATE,
    FaultName.DELAY,
    FaultName.REORDER,
    FaultName.HANG_UP,
    FaultName.CONTRADICT,
)

_DEFAULT_DELAY_S = {FaultName.SLOW: 5.0, FaultName.DELAY: 60.0, FaultName.REORDER: 10.0}


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    `delay_s` is how long `slow` takes and `delay` holds back; the bound of a random wait for
    `reorder`; when the copy follows for `duplicate` and `contradict` (at once by default); when the
    line is cut for `hang-up` (by default Exotel waits for the answer and then acts as if there had
    been none).
    `retry_after_s` goes with `http-429` and `http-503`. `times` counts down; None is for ever.
    Raises ValueError for an unknown name or target, and for a fault that can't strike its target.
    """

    name: FaultName | str
    target: FaultTarget | str = FaultTarget.ANY
    when: str = "before"
    times: int | None = None
    probability: float = 1.0
    delay_s: float | None = None
    retry_after_s: int | None = None

    def __post_init__(self) -> None:
        self.name = FaultName(self.name)
        self.target = FaultTarget(self.target)
        if self.when not in ("before", "after"):
            raise ValueError(f"'when' is 'before' or 'after' the effect, not {self.when!r}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"'probability' lies between 0 and 1, not {self.probability!r}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"'times' is at least 1, not {self.times!r}")
        if self.name is FaultName.CONTRADICT and self.target is FaultTarget.ANY:
            self.target = FaultTarget.REPORT
        if self.target is not FaultTarget.ANY and not self.applies_to(self.target):
            targets = ", ".join(each.value for each in FaultTarget if Fault(self.name).applies_to(each))
            raise ValueError(f"{self.name.value!r} cannot strike {self.target.value!r}, only {targets}")

    def applies_to(self, target: FaultTarget) -> bool:
        """Whether this fault is one for `target`, the odds aside."""
        if self.target not in (FaultTarget.ANY, target):
            return False
        if self.name is FaultName.CONTRADICT and target is FaultTarget.WEBHOOK:
            return False
        return (self.name in WEBHOOK_FAULTS) == (target in WEBHOOK_TARGETS)

    @property
    def effective_delay_s(self) -> float:
        if self.delay_s is not None:
            return self.delay_s
        return _DEFAULT_DELAY_S.get(FaultName(self.name), 0.0)


class ActiveFaults:
    """The faults in force. At most one strikes at a time: the first, in the order activated."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.active: list[Fault] = []

    def activate(self, fault: Fault) -> Fault:
        self.active.append(fault)
        return fault

    def clear(self, name: FaultName | str | None = None) -> int:
        """End every fault of that name, or all of them; says how many there were."""
        ending = None if name is None else FaultName(name)
        kept = [] if ending is None else [fault for fault in self.active if fault.name != ending]
        ended = len(self.active) - len(kept)
        self.active = kept
        return ended

    def take_next(self, target: FaultTarget) -> Fault | None:
        """The fault that strikes `target` now, if one does; uses up one of its times."""
        for fault in self.active:
            if not fault.applies_to(target):
                continue
            # No draw where nothing hangs on it: the odds of one fault don't shift another's.
            if fault.probability < 1 and self._rng.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    self.active.remove(fault)
            return fault
        return None


CONNECT_ERRORS: Mapping[FaultName, Callable[[], OSError]] = {
    FaultName.REFUSE_CONNECTION: partial(ConnectionRefusedError, "the exchange refused the connection"),
    FaultName.TLS_FAILURE: partial(ssl.SSLCertVerificationError, "certificate has expired"),
    FaultName.NAME_UNRESOLVED: partial(socket.gaierror, socket.EAI_NONAME, "Name or service not known"),
}
