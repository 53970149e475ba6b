"""How a lane stands with its provider after what its requests came to."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from missedd.core.reasons import Reason
from missedd.core.upstream.circuit_breaker import (
    IN_DOUBT,
    WELL,
    Course,
    Sign,
    after_look_up,
    after_nothing,
    after_order,
    after_the_other,
    hold,
    is_told,
)

UNREACHABLE = Reason.PROVIDER_UNREACHABLE


def after(signs: Iterable[Sign], course: Course = WELL) -> Course:
    """After orders that began and ended one second after the other."""
    for second, sign in enumerate(signs):
        course = after_order(course, sign, second, second)
    return course


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        ([Sign.UNREACHED] * 2, None),
        ([Sign.UNREACHED] * 3, UNREACHABLE),
        ([Sign.FAILED, Sign.UNREACHED, Sign.FAILED], UNREACHABLE),
        ([Sign.UNREACHED, Sign.UNREACHED, Sign.TAKEN, Sign.UNREACHED], None),
        ([Sign.FAILED, Sign.FAILED, Sign.ANSWERED, Sign.FAILED], None),
        ([Sign.UNREACHED, Sign.LOST, Sign.UNREACHED, Sign.LOST], None),
        ([Sign.UNREACHED, Sign.LOST, Sign.UNREACHED, Sign.UNREACHED], UNREACHABLE),
        ([Sign.LOST] * 9, None),
        ([Sign.CREDENTIALS], Reason.PROVIDER_AUTH),
        ([Sign.ACCOUNT], Reason.ACCOUNT_PROBLEM),
        ([Sign.THROTTLED], UNREACHABLE),
    ],
)
def test_when_a_lane_is_held(signs: list[Sign], reason: Reason | None) -> None:
    assert after(signs).reason is reason


def test_probes_come_after_growing_waits() -> None:
    course, now_s, waits = after([Sign.UNREACHED] * 3), 2.0, []
    for _ in range(7):
        waits.append(course.asks_at_s - now_s)
        now_s = course.asks_at_s
        course = after_order(course, Sign.UNREACHED, now_s, now_s)
    assert waits == [5, 10, 20, 40, 60, 60, 60]
    assert course.probes == 7


@pytest.mark.parametrize(
    "sign", [Sign.UNREACHED, Sign.FAILED, Sign.THROTTLED, Sign.CREDENTIALS, Sign.ACCOUNT]
)
def test_one_that_is_taken_ends_it(sign: Sign) -> None:
    held = after([sign] * 3)
    assert held.reason is not None
    assert after_order(held, Sign.TAKEN, 100, 101) == WELL


def test_what_was_out_before_a_trouble_says_nothing_of_it() -> None:
    held = after_order(WELL, Sign.CREDENTIALS, 9, 10)
    for sign in Sign:
        assert after_order(held, sign, 9.5, 12) == held


def test_a_refusal_of_what_was_asked_shows_that_the_provider_is_there_and_nothing_of_the_account() -> None:
    assert after_order(after([Sign.FAILED] * 3), Sign.ANSWERED, 8, 8) == WELL
    held = after_order(hold(Reason.PROVIDER_AUTH, 0), Sign.ANSWERED, 5, 5)
    assert (held.reason, held.asks_at_s) == (Reason.PROVIDER_AUTH, 15)


def test_a_provider_that_is_reached_again_may_refuse_us() -> None:
    held = after_order(after([Sign.UNREACHED] * 3), Sign.CREDENTIALS, 8, 8)
    assert held == hold(Reason.PROVIDER_AUTH, 8, Sign.CREDENTIALS)
    # What cannot be reached may still refuse us: nobody knows better.
    assert after_order(held, Sign.UNREACHED, 13, 13).reason is Reason.PROVIDER_AUTH


def test_after_a_5xx_a_look_up_goes_before_the_next_order() -> None:
    held = after([Sign.UNREACHED, Sign.UNREACHED, Sign.FAILED])
    assert held.burns
    held = after_look_up(held, 7, is_answered=False)
    assert (held.burns, held.asks_at_s) == (True, 17)
    held = after_look_up(held, 17, is_answered=True)
    assert (held.reason, held.burns, held.asks_at_s) == (UNREACHABLE, False, 17)
    held = after_order(held, Sign.FAILED, 17, 18)
    assert (held.burns, held.asks_at_s, held.probes) == (True, 38, 2)


def test_any_answer_ends_a_trouble_of_the_line() -> None:
    held = after([Sign.UNREACHED] * 3)
    assert not held.burns
    assert after_look_up(held, 7, is_answered=True) == WELL
    assert after_look_up(held, 7, is_answered=False).asks_at_s == 17


def test_a_look_up_says_nothing_of_the_account_or_of_the_rate_limit_of_sms() -> None:
    held = hold(Reason.ACCOUNT_PROBLEM, 0)
    assert after_look_up(held, 5, is_answered=True) == after_look_up(held, 5, is_answered=False) == held
    assert after_nothing(held) == held
    throttled = after([Sign.THROTTLED])
    assert after_look_up(throttled, 5, is_answered=True) == throttled


def test_where_nothing_waits_for_it_a_lane_that_answers_is_in_doubt() -> None:
    assert after_nothing(after([Sign.FAILED] * 3)) == IN_DOUBT
    assert after_order(IN_DOUBT, Sign.UNREACHED, 1, 1).reason is UNREACHABLE
    assert after_nothing(WELL) == WELL


def test_the_rate_limit_of_sms_is_a_trouble_only_where_it_stays() -> None:
    held = after([Sign.THROTTLED])
    assert not held.is_trouble
    held = after_order(held, Sign.THROTTLED, 5, 5)
    assert not held.is_trouble
    assert after_order(held, Sign.THROTTLED, 15, 15).is_trouble
    assert hold(Reason.PROVIDER_AUTH, 0).is_trouble
    assert not WELL.is_trouble


def test_the_providers_own_wish_is_heard() -> None:
    assert after_order(WELL, Sign.THROTTLED, 0, 0, 90).asks_at_s == 90
    assert after_order(after([Sign.THROTTLED]), Sign.THROTTLED, 5, 5, 2).asks_at_s == 15


def test_which_probes_are_worth_a_line() -> None:
    assert [probes for probes in range(1, 2001) if is_told(probes)] == [10, 100, 1000]


def test_what_a_lane_only_heard_of_is_over_with_the_other_ones_trouble() -> None:
    heard = hold(Reason.PROVIDER_AUTH, 8)
    assert after_the_other(heard) == IN_DOUBT
    assert after_the_other(after_order(heard, Sign.UNREACHED, 13, 13)) == IN_DOUBT
    for stays in (after_order(heard, Sign.CREDENTIALS, 13, 13), after([Sign.UNREACHED] * 3), WELL):
        assert after_the_other(stays) == stays


def test_what_went_out_as_the_refusal_came_in_is_no_probe() -> None:
    held = after_order(WELL, Sign.CREDENTIALS, 7, 8)
    assert after_order(held, Sign.TAKEN, 8, 9) == held
    assert after_order(held, Sign.TAKEN, 13, 14) == WELL
