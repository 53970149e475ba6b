"""How a lane stands with its provider: well, in doubt after a failure, or held; and when it asks again.

    order refused by a closed port, three times in a row   -> held, provider-unreachable
    order answered 401, once                               -> held, provider-auth
    probes after 5, 10, 20, 40, 60, 60 … s; one is taken   -> well

A fault of the line or of the account is none of the call's. So what is due waits with its lane, nothing is
closed for it, and one request at a time finds out whether the provider takes them again. Instants are
seconds of a clock that never steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from missedd.core.reasons import ACCOUNT_REFUSALS, Reason

PROBE_BACKOFF_S: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
"""From a failure to the next probe; the last one stays."""

FAILURE_THRESHOLD: Final = 3
"""So many orders that failed without a success between are no accident."""


class ProviderSignal(StrEnum):
    """What the end of one order says of the provider and the account."""

    ACCEPTED = "taken"
    RESPONDED = "answered"
    """It was refused for what it asked, or for now: the provider is there."""
    NOT_CONNECTED = "unreached"
    """No connection: surely not sent."""
    SERVER_ERROR = "failed"
    """An answer of 5xx: it may have had its effect."""
    THROTTLED = "throttled"
    """The SMS lane's 503: surely not sent."""
    REPLY_LOST = "lost"
    """The answer never came: it says nothing, but a probe that ends so was not taken."""
    AUTH_REFUSED = "credentials"
    ACCOUNT_REFUSED = "account"


HOLD_THRESHOLDS: Final[Mapping[ProviderSignal, tuple[int, Reason]]] = {
    ProviderSignal.NOT_CONNECTED: (FAILURE_THRESHOLD, Reason.PROVIDER_UNREACHABLE),
    ProviderSignal.SERVER_ERROR: (FAILURE_THRESHOLD, Reason.PROVIDER_UNREACHABLE),
    ProviderSignal.THROTTLED: (1, Reason.PROVIDER_UNREACHABLE),
    ProviderSignal.AUTH_REFUSED: (1, Reason.PROVIDER_AUTH),
    ProviderSignal.ACCOUNT_REFUSED: (1, Reason.ACCOUNT_PROBLEM),
}
"""After how many failures in a row, the last of which is such a one, a lane is held, and why."""

ACCOUNT_HOLDS: Final = ACCOUNT_REFUSALS
"""Holds both lanes: they share one account."""


@dataclass(frozen=True, slots=True)
class CircuitState:
    """How one lane stands. `fails` counts orders, and later probes, that failed in a row."""

    failures: int = 0
    reason: Reason | None = None
    """Why the lane is held, or None while it is not."""
    held_since_s: float = 0.0
    failed_probes: int = 0
    """How many probes failed since it is held."""
    next_probe_at_s: float = 0.0
    """When the next probe may go."""
    last_signal: ProviderSignal | None = None
    """How the latest order failed; None once a look-up was answered since."""

    @property
    def must_look_up_first(self) -> bool:
        """Whether the next order that fails may have its effect all the same."""
        return self.reason is Reason.PROVIDER_UNREACHABLE and self.last_signal in (
            ProviderSignal.SERVER_ERROR,
            ProviderSignal.REPLY_LOST,
        )

    @property
    def needs_attention(self) -> bool:
        """Whether a person should know. One 503 of the SMS lane is no more than its own rate limit."""
        return self.reason in ACCOUNT_HOLDS or (
            self.reason is not None and self.failures >= FAILURE_THRESHOLD
        )


HEALTHY: Final = CircuitState()
ON_PROBATION: Final = CircuitState(failures=FAILURE_THRESHOLD - 1)
"""One more failure holds it at once: nobody knows yet whether a trouble is over."""


def after_request(
    state: CircuitState,
    signal: ProviderSignal,
    began_s: float,
    now_s: float,
    retry_after_s: float | None = None,
) -> CircuitState:
    """How a lane stands after an order that began at `began_s` ended with this sign at `now_s`.

    `retry_after_s` is for how long the provider wants to be left alone, where it said so.
    """
    if state.reason is not None and began_s <= state.held_since_s:
        return state  # it was out already: it says nothing of what has changed
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
        return hold_circuit(holds[1], now_s, signal)  # reached again, and refused
    return _count_failed_probe(state, signal, now_s, retry_after_s)


def after_lookup(state: CircuitState, now_s: float, *, is_answered: bool) -> CircuitState:
    """How a lane stands after a look-up that was its probe. Of the account a look-up says nothing.

    That something answers shows that the line is mended. Whether orders are taken only an order shows,
    which may go now; where the provider asked for rest, it keeps its own instant.
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
    """How a lane stands whose look-up was answered while no action waits for the lane."""
    return ON_PROBATION if state.reason is Reason.PROVIDER_UNREACHABLE else state


def after_other_lane_accepted(state: CircuitState) -> CircuitState:
    """How a lane stands once the other one's order was taken, which ends a trouble of the account there.

    One that was itself refused waits for an order of its own: an account may call and not text. What it
    only heard of is over, and there may never be an order in it to show that.
    """
    is_hearsay = state.reason in ACCOUNT_HOLDS and state.last_signal not in (
        ProviderSignal.AUTH_REFUSED,
        ProviderSignal.ACCOUNT_REFUSED,
    )
    return ON_PROBATION if is_hearsay else state


def hold_circuit(reason: Reason, now_s: float, last_signal: ProviderSignal | None = None) -> CircuitState:
    """A lane that is held from now on; without `last_signal` the refusal came in the other one."""
    return CircuitState(1, reason, now_s, 0, now_s + PROBE_BACKOFF_S[0], last_signal)


def is_worth_logging(probes: int) -> bool:
    """Whether this many failed probes are worth a line: the 10th, the 100th …"""
    return probes >= 10 and str(probes).strip("0") == "1"


def _count_failure(
    state: CircuitState, signal: ProviderSignal, now_s: float, retry_after_s: float | None
) -> CircuitState:
    most, reason = HOLD_THRESHOLDS[signal]
    fails = state.failures + 1
    if fails < most:
        return CircuitState(fails)
    return CircuitState(
        fails, reason, now_s, 0, now_s + max(PROBE_BACKOFF_S[0], retry_after_s or 0.0), signal
    )


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
