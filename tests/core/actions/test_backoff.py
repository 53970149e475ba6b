"""Waits grow, jitter only lengthens them, and they end."""

from random import Random

import pytest

from missedd.core.actions.backoff import (
    JITTER,
    MAX_BACKOFF_S,
    WEBHOOK_BACKOFF_S,
    lookup_backoff,
    refusal_backoff,
    webhook_backoff,
)
from missedd.core.model import Kind, State
from missedd.core.reasons import Reason

RNG = Random(1)


@pytest.mark.parametrize(
    ("reason", "first_s"),
    [(Reason.CONNECTION_FAILED, 2), (Reason.RATE_LIMITED, 10), (Reason.PROVIDER_BUSY, 5)],
)
def test_the_first_wait_depends_on_the_reason_and_then_doubles(reason: Reason, first_s: float) -> None:
    for tries in range(1, 5):
        base = first_s * 2 ** (tries - 1)
        assert base <= refusal_backoff(reason, tries, None, RNG) <= base * (1 + JITTER)


def test_a_wait_never_outgrows_its_bound() -> None:
    assert refusal_backoff(Reason.CONNECTION_FAILED, 1000, None, RNG) <= MAX_BACKOFF_S * (1 + JITTER)


def test_the_providers_own_wish_is_honoured_in_full() -> None:
    assert refusal_backoff(Reason.RATE_LIMITED, 5, 3.0, RNG) == pytest.approx(3.3, abs=0.31)
    assert refusal_backoff(Reason.RATE_LIMITED, 1, 90.0, RNG) >= 90.0
    # A wait of 0 s would repeat a refused request for ever.
    assert refusal_backoff(Reason.RATE_LIMITED, 1, 0.0, RNG) >= 10.0


def test_webhooks_are_tried_for_days_and_then_parked() -> None:
    waits = [webhook_backoff(tries, None, RNG) for tries in range(1, len(WEBHOOK_BACKOFF_S) + 2)]
    assert waits[-1] is None
    known = [each for each in waits if each is not None]
    assert 5 <= known[0] <= 6
    assert 3 * 86400 < sum(known) < 5 * 86400


def test_look_ups_end() -> None:
    for kind, state in [
        (Kind.CALLBACK, State.ATTEMPTING),
        (Kind.CALLBACK, State.PLACED),
        (Kind.SMS, State.PLACED),
    ]:
        waits = [lookup_backoff(state, kind, looks) for looks in range(10)]
        assert waits[0] is not None
        assert waits[-1] is None


def test_a_lost_sms_waits_once_for_its_report() -> None:
    assert lookup_backoff(State.ATTEMPTING, Kind.SMS, 0) == 1800
    assert lookup_backoff(State.ATTEMPTING, Kind.SMS, 1) is None
