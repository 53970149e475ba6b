"""The circuit breaker of a lane: healthy, in doubt after failures, or held; and when the next probe goes.

    connection refused, three times in a row               -> held, provider-unreachable
    answer 401, once                                       -> held, provider-auth
    probes after 5, 10, 20, 40, 60, 60 … s; one accepted   -> healthy

A fault of the network or of the account is not the fault of a call. So due actions wait with their lane and
none is closed, and one request at a time finds out whether the provider accepts requests again. Times are
seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from missedd.core.reasons import ACCOUNT_REFUSALS, Reason

PROBE_BACKOFF_S: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Seconds from a failure to the next probe; the last value repeats."""

FAILURE_THRESHOLD: Final = 3
"""This many failures in a row, without a success between them, are no accident."""


class ProviderSignal(StrEnum):
    """What the result of one request says about the provider and the account."""

    ACCEPTED = "taken"
    RESPONDED = "answered"
    """The request was refused for its content, or for now: the provider can be reached."""
    NOT_CONNECTED = "unreached"
    """No connection: certainly not sent."""
    SERVER_ERROR = "failed"
    """A 5xx answer: the request may have had its effect."""
    THROTTLED = "throttled"
    """A 503 in the SMS lane: certainly not sent."""
    REPLY_LOST = "lost"
    """The answer never came. This says nothing about the provider, but a probe that ends so was not
    accepted."""
    AUTH_REFUSED = "credentials"
    ACCOUNT_REFUSED = "account"


HOLD_THRESHOLDS: Final[Mapping[ProviderSignal, tuple[int, Reason]]] = {
    ProviderSignal.NOT_CONNECTED: (FAILURE_THRESHOLD, Reason.PROVIDER_UNREACHABLE),
    ProviderSignal.SERVER_ERROR: (FAILURE_THRESHOLD, Reason.PROVIDER_UNREACHABLE),
    ProviderSignal.THROTTLED: (1, Reason.PROVIDER_UNREACHABLE),
    ProviderSignal.AUTH_REFUSED: (1, Reason.PROVIDER_AUTH),
    ProviderSignal.ACCOUNT_REFUSED: (1, Reason.ACCOUNT_PROBLEM),
}
"""How many failures in a row hold a lane if the last one is of this kind, and the reason of the hold."""

ACCOUNT_HOLDS: Final = ACCOUNT_REFUSALS
"""These hold both lanes, because both use one account."""


@dataclass(frozen=True, slots=True)
class CircuitState:
    """The state of one lane. `failures` counts failed requests in a row, probes included."""

    failures: int = 0
    reason: Reason | None = None
    """Why the lane is held; None while it is not."""
    held_since_s: float = 0.0
    failed_probes: int = 0
    """Failed probes since the lane is held."""
    next_probe_at_s: float = 0.0
    """When the next probe may go."""
    last_signal: ProviderSignal | None = None
    """How the latest request failed; None after an answered lookup."""

    @property
    def must_look_up_first(self) -> bool:
        """Whether the next failing request may have its effect all the same, so that a lookup has to come
        first."""
        return self.reason is Reason.PROVIDER_UNREACHABLE and self.last_signal in (
            ProviderSignal.SERVER_ERROR,
            ProviderSignal.REPLY_LOST,
        )

    @property
    def needs_attention(self) -> bool:
        """Whether an operator should know. A single 503 in the SMS lane is only its rate limit."""
        return self.reason in ACCOUNT_HOLDS or (
            self.reason is not None and self.failures >= FAILURE_THRESHOLD
        )


HEALTHY: Final = CircuitState()
ON_PROBATION: Final = CircuitState(failures=FAILURE_THRESHOLD - 1)
"""One more failure holds the lane at once: it is not known yet whether the trouble is over."""


def after_request(
    state: CircuitState,
    signal: ProviderSignal,
    began_s: float,
    now_s: float,
    retry_after_s: float | None = None,
) -> CircuitState:
    """The state after a request that began at `began_s` and ended with `signal` at `now_s`.

    `retry_after_s` is how long the provider asked us to wait, if it did.
    """
    if state.reason is not None and began_s <= state.held_since_s:
        return state  # the request was sent before the hold, so it says nothing about the present
    if signal is ProviderSignal.ACCEPTED:
        return HEALTHY
    if state.reason is None:
        if signal is ProviderSignal.RESPONDED:
            return HEALTHY
        if signal is ProviderSignal.REPLY_LOST:
            return state
        return _count_failure(state, signal, now_s, retry_after_s)
    if signal is ProviderSignal.RESPONDED and state.reason not in ACCOUNT_HOLDS:
        return HEALTHY
    holds = HOLD_THRESHOLDS.get(signal)
    if holds and holds[1] in ACCOUNT_HOLDS and holds[1] is not state.reason:
        return hold_circuit(holds[1], now_s, signal)  # the provider answers again, and refuses
    return _count_failed_probe(state, signal, now_s, retry_after_s)


def after_lookup(state: CircuitState, now_s: float, *, is_answered: bool) -> CircuitState:
    """The state after a lookup that was its probe. A lookup says nothing about the account.

    An answer shows that the connection works again. Only a real request can show that requests are accepted,
    and that request may go now. If the provider asked for a wait, its time stays.
    """
    if state.reason is not Reason.PROVIDER_UNREACHABLE:
        return state
    if not is_answered:
        return _count_failed_probe(state, state.last_signal, now_s, None)
    match state.last_signal:
        case ProviderSignal.NOT_CONNECTED:
            return HEALTHY
        case ProviderSignal.THROTTLED:
            return state
        case _:
            return replace(state, last_signal=None, next_probe_at_s=now_s)


def after_idle_lookup(state: CircuitState) -> CircuitState:
    """The state after an answered lookup, if no action waits in the lane."""
    return ON_PROBATION if state.reason is Reason.PROVIDER_UNREACHABLE else state


def after_other_lane_accepted(state: CircuitState) -> CircuitState:
    """The state after the other lane's request was accepted, which ends a problem of the account there.

    A lane that was refused itself waits for a request of its own, because an account may be allowed to call
    and not to send SMS. A lane that is held only because of the other lane is released: it may never send a
    request that proves it.
    """
    is_held_by_other_lane = state.reason in ACCOUNT_HOLDS and state.last_signal not in (
        ProviderSignal.AUTH_REFUSED,
        ProviderSignal.ACCOUNT_REFUSED,
    )
    return ON_PROBATION if is_held_by_other_lane else state


def hold_circuit(reason: Reason, now_s: float, last_signal: ProviderSignal | None = None) -> CircuitState:
    """A lane that is held from now on; `last_signal` is None if the refusal came in the other lane."""
    return CircuitState(1, reason, now_s, 0, now_s + PROBE_BACKOFF_S[0], last_signal)


def is_worth_logging(probes: int) -> bool:
    """Whether this number of failed probes is worth a log line: the 10th, the 100th …"""
    return probes >= 10 and str(probes).strip("0") == "1"


def _count_failure(
    state: CircuitState, signal: ProviderSignal, now_s: float, retry_after_s: float | None
) -> CircuitState:
    threshold, reason = HOLD_THRESHOLDS[signal]
    failures = state.failures + 1
    if failures < threshold:
        return CircuitState(failures)
    next_probe_at_s = now_s + max(PROBE_BACKOFF_S[0], retry_after_s or 0.0)
    return CircuitState(failures, reason, now_s, 0, next_probe_at_s, signal)


def _count_failed_probe(
    state: CircuitState, signal: ProviderSignal | None, now_s: float, retry_after_s: float | None
) -> CircuitState:
    probes = state.failed_probes + 1
    wait_s = PROBE_BACKOFF_S[min(probes, len(PROBE_BACKOFF_S) - 1)]
    return replace(
        state,
        failures=state.failures + 1,
        failed_probes=probes,
        next_probe_at_s=now_s + max(wait_s, retry_after_s or 0.0),
        last_signal=signal,
    )
