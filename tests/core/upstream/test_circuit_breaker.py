"""The state of a lane after the results of its requests."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from missedd.core.reasons import Reason
from missedd.core.upstream.circuit_breaker import (
    HEALTHY,
    ON_PROBATION,
    CircuitState,
    ProviderSignal,
    after_idle_lookup,
    after_lookup,
    after_other_lane_accepted,
    after_request,
    hold_circuit,
    is_worth_logging,
)

UNREACHABLE = Reason.PROVIDER_UNREACHABLE


def after(signs: Iterable[ProviderSignal], course: CircuitState = HEALTHY) -> CircuitState:
    """The state after requests that began and ended one second after the other."""
    for second, sign in enumerate(signs):
        course = after_request(course, sign, second, second)
    return course


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        ([ProviderSignal.NOT_CONNECTED] * 2, None),
        ([ProviderSignal.NOT_CONNECTED] * 3, UNREACHABLE),
        (
            [ProviderSignal.SERVER_ERROR, ProviderSignal.NOT_CONNECTED, ProviderSignal.SERVER_ERROR],
            UNREACHABLE,
        ),
        (
            [
                ProviderSignal.NOT_CONNECTED,
                ProviderSignal.NOT_CONNECTED,
                ProviderSignal.ACCEPTED,
                ProviderSignal.NOT_CONNECTED,
            ],
            None,
        ),
        (
            [
                ProviderSignal.SERVER_ERROR,
                ProviderSignal.SERVER_ERROR,
                ProviderSignal.RESPONDED,
                ProviderSignal.SERVER_ERROR,
            ],
            None,
        ),
        (
            [
                ProviderSignal.NOT_CONNECTED,
                ProviderSignal.REPLY_LOST,
                ProviderSignal.NOT_CONNECTED,
                ProviderSignal.REPLY_LOST,
            ],
            None,
        ),
        (
            [
                ProviderSignal.NOT_CONNECTED,
                ProviderSignal.REPLY_LOST,
                ProviderSignal.NOT_CONNECTED,
                ProviderSignal.NOT_CONNECTED,
            ],
            UNREACHABLE,
        ),
        ([ProviderSignal.REPLY_LOST] * 9, None),
        ([ProviderSignal.AUTH_REFUSED], Reason.PROVIDER_AUTH),
        ([ProviderSignal.ACCOUNT_REFUSED], Reason.ACCOUNT_PROBLEM),
        ([ProviderSignal.THROTTLED], UNREACHABLE),
    ],
)
def test_when_a_lane_is_held(signs: list[ProviderSignal], reason: Reason | None) -> None:
    assert after(signs).reason is reason


def test_probes_come_after_growing_waits() -> None:
    course, now_s, waits = after([ProviderSignal.NOT_CONNECTED] * 3), 2.0, []
    for _ in range(7):
        waits.append(course.next_probe_at_s - now_s)
        now_s = course.next_probe_at_s
        course = after_request(course, ProviderSignal.NOT_CONNECTED, now_s, now_s)
    assert waits == [5, 10, 20, 40, 60, 60, 60]
    assert course.failed_probes == 7


@pytest.mark.parametrize(
    "sign",
    [
        ProviderSignal.NOT_CONNECTED,
        ProviderSignal.SERVER_ERROR,
        ProviderSignal.THROTTLED,
        ProviderSignal.AUTH_REFUSED,
        ProviderSignal.ACCOUNT_REFUSED,
    ],
)
def test_an_accepted_request_closes_the_circuit_breaker(sign: ProviderSignal) -> None:
    held = after([sign] * 3)
    assert held.reason is not None
    assert after_request(held, ProviderSignal.ACCEPTED, 100, 101) == HEALTHY


def test_what_was_out_before_a_trouble_says_nothing_of_it() -> None:
    held = after_request(HEALTHY, ProviderSignal.AUTH_REFUSED, 9, 10)
    for sign in ProviderSignal:
        assert after_request(held, sign, 9.5, 12) == held


def test_a_refusal_of_what_was_asked_shows_that_the_provider_is_there_and_nothing_of_the_account() -> None:
    assert after_request(after([ProviderSignal.SERVER_ERROR] * 3), ProviderSignal.RESPONDED, 8, 8) == HEALTHY
    held = after_request(hold_circuit(Reason.PROVIDER_AUTH, 0), ProviderSignal.RESPONDED, 5, 5)
    assert (held.reason, held.next_probe_at_s) == (Reason.PROVIDER_AUTH, 15)


def test_a_provider_that_is_reached_again_may_refuse_us() -> None:
    held = after_request(after([ProviderSignal.NOT_CONNECTED] * 3), ProviderSignal.AUTH_REFUSED, 8, 8)
    assert held == hold_circuit(Reason.PROVIDER_AUTH, 8, ProviderSignal.AUTH_REFUSED)
    # A provider that cannot be reached may still refuse the account; this is not known yet.
    assert after_request(held, ProviderSignal.NOT_CONNECTED, 13, 13).reason is Reason.PROVIDER_AUTH


def test_after_a_5xx_a_look_up_goes_before_the_next_order() -> None:
    held = after([ProviderSignal.NOT_CONNECTED, ProviderSignal.NOT_CONNECTED, ProviderSignal.SERVER_ERROR])
    assert held.must_look_up_first
    held = after_lookup(held, 7, is_answered=False)
    assert (held.must_look_up_first, held.next_probe_at_s) == (True, 17)
    held = after_lookup(held, 17, is_answered=True)
    assert (held.reason, held.must_look_up_first, held.next_probe_at_s) == (UNREACHABLE, False, 17)
    held = after_request(held, ProviderSignal.SERVER_ERROR, 17, 18)
    assert (held.must_look_up_first, held.next_probe_at_s, held.failed_probes) == (True, 38, 2)


def test_any_answer_ends_a_trouble_of_the_line() -> None:
    held = after([ProviderSignal.NOT_CONNECTED] * 3)
    assert not held.must_look_up_first
    assert after_lookup(held, 7, is_answered=True) == HEALTHY
    assert after_lookup(held, 7, is_answered=False).next_probe_at_s == 17


def test_a_look_up_says_nothing_of_the_account_or_of_the_rate_limit_of_sms() -> None:
    held = hold_circuit(Reason.ACCOUNT_PROBLEM, 0)
    assert after_lookup(held, 5, is_answered=True) == after_lookup(held, 5, is_answered=False) == held
    assert after_idle_lookup(held) == held
    throttled = after([ProviderSignal.THROTTLED])
    assert after_lookup(throttled, 5, is_answered=True) == throttled


def test_where_nothing_waits_for_it_a_lane_that_answers_is_in_doubt() -> None:
    assert after_idle_lookup(after([ProviderSignal.SERVER_ERROR] * 3)) == ON_PROBATION
    assert after_request(ON_PROBATION, ProviderSignal.NOT_CONNECTED, 1, 1).reason is UNREACHABLE
    assert after_idle_lookup(HEALTHY) == HEALTHY


def test_the_rate_limit_of_sms_is_a_trouble_only_where_it_stays() -> None:
    held = after([ProviderSignal.THROTTLED])
    assert not held.needs_attention
    held = after_request(held, ProviderSignal.THROTTLED, 5, 5)
    assert not held.needs_attention
    assert after_request(held, ProviderSignal.THROTTLED, 15, 15).needs_attention
    assert hold_circuit(Reason.PROVIDER_AUTH, 0).needs_attention
    assert not HEALTHY.needs_attention


def test_the_providers_own_wish_is_heard() -> None:
    assert after_request(HEALTHY, ProviderSignal.THROTTLED, 0, 0, 90).next_probe_at_s == 90
    assert (
        after_request(after([ProviderSignal.THROTTLED]), ProviderSignal.THROTTLED, 5, 5, 2).next_probe_at_s
        == 15
    )


def test_which_probes_are_worth_a_line() -> None:
    assert [probes for probes in range(1, 2001) if is_worth_logging(probes)] == [10, 100, 1000]


def test_what_a_lane_only_heard_of_is_over_with_the_other_ones_trouble() -> None:
    heard = hold_circuit(Reason.PROVIDER_AUTH, 8)
    assert after_other_lane_accepted(heard) == ON_PROBATION
    assert (
        after_other_lane_accepted(after_request(heard, ProviderSignal.NOT_CONNECTED, 13, 13)) == ON_PROBATION
    )
    for stays in (
        after_request(heard, ProviderSignal.AUTH_REFUSED, 13, 13),
        after([ProviderSignal.NOT_CONNECTED] * 3),
        HEALTHY,
    ):
        assert after_other_lane_accepted(stays) == stays


def test_what_went_out_as_the_refusal_came_in_is_no_probe() -> None:
    held = after_request(HEALTHY, ProviderSignal.AUTH_REFUSED, 7, 8)
    assert after_request(held, ProviderSignal.ACCEPTED, 8, 9) == held
    assert after_request(held, ProviderSignal.ACCEPTED, 13, 14) == HEALTHY
