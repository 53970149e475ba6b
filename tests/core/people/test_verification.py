"""What proves a number: the window of a verification, its end, and the limit on starts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.people.verification import (
    VERIFICATION_TRANSITIONS,
    Verification,
    VerificationEvent,
    VerificationStatus,
    check_call,
    has_expired,
    next_start_at,
    superseding_event,
)
from missedd.core.reasons import Reason
from missedd.core.sliding_cap import CAP_WINDOW
from tests.core.campaigns import NOON, minutes, seconds

WAITING = Verification("v1", NOON, NOON + minutes(5))


@pytest.mark.parametrize(
    ("after_s", "reason"),
    [
        (-5, Reason.VERIFIED),
        (0, Reason.VERIFIED),
        (299.999999, Reason.VERIFIED),
        (300, Reason.VERIFICATION_EXPIRED),
        (86_400, Reason.VERIFICATION_EXPIRED),
    ],
)
def test_a_call_counts_by_its_own_time(after_s: float, reason: Reason) -> None:
    called_at = NOON + seconds(after_s)
    assert WAITING.may_match(called_at)
    assert check_call(WAITING, called_at) is reason


def test_one_long_before_the_start_was_not_meant_for_it() -> None:
    assert not WAITING.may_match(NOON - seconds(5.000001))
    assert check_call(None, NOON) is Reason.NO_VERIFICATION_PENDING


@given(st.integers(-5, 600))
def test_what_is_closed_proves_nothing_more(after_s: int) -> None:
    called_at = NOON + seconds(after_s)
    verified, expired = (
        replace(WAITING, status=each) for each in (VerificationStatus.VERIFIED, VerificationStatus.EXPIRED)
    )
    assert check_call(verified, called_at) is Reason.NO_VERIFICATION_PENDING
    assert check_call(expired, called_at) is Reason.VERIFICATION_EXPIRED


def test_nothing_follows_what_is_closed() -> None:
    assert {status for status, _ in VERIFICATION_TRANSITIONS} == {VerificationStatus.PENDING}
    assert {event for _, event in VERIFICATION_TRANSITIONS} == set(VerificationEvent)
    assert {follows for follows, _ in VERIFICATION_TRANSITIONS.values()} == {
        VerificationStatus.VERIFIED,
        VerificationStatus.EXPIRED,
    }


@pytest.mark.parametrize(("after_s", "lapsed"), [(0, False), (299.999999, False), (300, True), (9999, True)])
def test_a_verification_has_expired_from_its_end_on(after_s: float, lapsed: bool) -> None:
    now = NOON + seconds(after_s)
    assert has_expired(WAITING, now) is lapsed
    assert superseding_event(WAITING, now) is (
        VerificationEvent.EXPIRE if lapsed else VerificationEvent.SUPERSEDE
    )
    assert not has_expired(replace(WAITING, status=VerificationStatus.VERIFIED), now)


@given(st.lists(st.integers(0, 3 * 3600), max_size=30).map(sorted), st.integers(1, 4))
def test_no_hour_holds_more_starts_than_allowed_and_who_waits_as_told_may_start(
    wishes: list[int], limit: int
) -> None:
    started: list[datetime] = []
    for wish in wishes:
        now = NOON + seconds(wish)
        at = next_start_at(started, now, limit)
        assert at >= now
        assert next_start_at(started, at, limit) == at
        if at > now:
            # One moment earlier would have exceeded the limit.
            assert next_start_at(started, at - seconds(0.001), limit) > at - seconds(0.001)
            assert at - now <= CAP_WINDOW
        else:
            started.append(now)
    for one in started:
        assert sum(one <= each < one + CAP_WINDOW for each in started) <= limit


def test_starts_that_seem_to_lie_ahead_count_too() -> None:
    """A start may lie in the future after a change of the clock."""
    assert next_start_at([NOON + minutes(30)], NOON, 1) == NOON + minutes(90)
