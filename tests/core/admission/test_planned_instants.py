"""The instants of what is planned: delay, late delivery, cap, business hours and quiet hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from missedd.core.admission.caller_history import CallerHistory
from missedd.core.model import Kind, Outcome, Plan, State
from missedd.core.policy import AfterHoursCallback, MessageClass
from missedd.core.reasons import Reason
from tests.core.admission.decisions import CLOSED, OPENING, decided, kinds, only
from tests.core.campaigns import (
    NOON,
    after_hours,
    call,
    callback,
    campaign,
    ist,
    minutes,
    office,
    seconds,
    sms,
)


@pytest.mark.parametrize(
    ("called_at", "runs_from"),
    [
        (NOON, NOON),
        (NOON - minutes(10), NOON - minutes(10)),
        (NOON + minutes(2), NOON + minutes(2)),
        (NOON + minutes(2) + timedelta(microseconds=1), NOON),
        (NOON + timedelta(days=365), NOON),
        (None, NOON),
    ],
)
def test_the_delay_runs_from_the_calls_own_time(called_at: datetime | None, runs_from: datetime) -> None:
    admission = decided(call(at=called_at), received_at=NOON)
    owed = only(admission, Kind.CALLBACK)
    assert admission.called_at == owed.base_at == runs_from
    assert owed.due_at == runs_from + seconds(30)
    assert owed.expires_at == runs_from + minutes(15)


@pytest.mark.parametrize(
    ("late_minutes", "state", "outcome", "reason"),
    [
        (0.1, State.PLANNED, None, Reason.OWED),
        (10, State.PLANNED, None, Reason.OWED),
        (15, State.PLANNED, None, Reason.OWED),
        (15.01, State.DONE, Outcome.EXPIRED, Reason.TOO_OLD),
        (1e6, State.DONE, Outcome.EXPIRED, Reason.TOO_OLD),
    ],
)
def test_a_late_delivery_is_due_at_once_or_too_old(
    late_minutes: float, state: State, outcome: Outcome | None, reason: Reason
) -> None:
    owed = only(decided(call(), received_at=NOON + minutes(late_minutes)), Kind.CALLBACK)
    assert (owed.state, owed.outcome, owed.reason) == (state, outcome, reason)
    assert owed.due_at == NOON + seconds(30)


def test_a_late_delivery_still_tells_the_application() -> None:
    assert only(decided(call(), received_at=NOON + timedelta(days=3)), Kind.WEBHOOK).state is State.PLANNED


def test_a_late_delivery_that_meets_closed_doors_is_deferred() -> None:
    of = campaign(callback=callback(), hours=office())
    admission = decided(call(at=ist("2026-11-23 18:25")), of, received_at=ist("2026-11-23 18:35"))
    owed = only(admission, Kind.CALLBACK)
    assert (owed.state, owed.due_at, owed.plan) == (State.HELD, ist("2026-11-24 09:30"), Plan.OPEN)


@pytest.mark.parametrize(
    ("others_minutes", "is_dropped"),
    [
        ((), False),
        ((-10,), False),
        ((-10, -50), True),
        ((-10, -59.5), False),
        ((-10, -59.4), True),
        ((-60, -10), False),
    ],
)
def test_the_cap_counts_from_the_instant_the_callback_would_go(
    others_minutes: tuple[float, ...], is_dropped: bool
) -> None:
    # The callback would go at 12:00:30.
    history = CallerHistory(placed=[("admissions", NOON + minutes(each)) for each in others_minutes])
    owed = only(decided(call(), history=history), Kind.CALLBACK)
    assert (owed.outcome is Outcome.DROPPED) is is_dropped
    if is_dropped:
        assert (owed.state, owed.reason) == (State.DONE, Reason.MAX_PER_HOUR)


def test_another_campaigns_callbacks_do_not_count() -> None:
    history = CallerHistory(placed=[("elsewhere", NOON)] * 5)
    assert only(decided(call(), history=history), Kind.CALLBACK).state is State.PLANNED


def test_a_dropped_callback_leaves_the_rest_of_what_is_owed() -> None:
    history = CallerHistory(placed=[("admissions", NOON)] * 2)
    admission = decided(call(), history=history)
    assert only(admission, Kind.SMS).state is State.PLANNED
    assert only(admission, Kind.WEBHOOK).state is State.PLANNED


@pytest.mark.parametrize(
    ("mode", "state", "outcome", "reason", "due_at"),
    [
        (AfterHoursCallback.DEFER, State.HELD, None, Reason.BUSINESS_CLOSED, OPENING),
        (AfterHoursCallback.SAME, State.PLANNED, None, Reason.OWED_AFTER_HOURS, CLOSED + seconds(30)),
        (
            AfterHoursCallback.SKIP,
            State.DONE,
            Outcome.DROPPED,
            Reason.SKIPPED_AFTER_HOURS,
            CLOSED + seconds(30),
        ),
    ],
)
def test_after_hours_a_callback_is_deferred_skipped_or_made_all_the_same(
    mode: AfterHoursCallback, state: State, outcome: Outcome | None, reason: Reason, due_at: datetime
) -> None:
    of = campaign(callback=callback(), hours=office(), after_hours=after_hours(mode))
    owed = only(decided(call(at=CLOSED), of), Kind.CALLBACK)
    assert (owed.state, owed.outcome, owed.reason, owed.due_at) == (state, outcome, reason, due_at)
    assert (owed.plan, owed.base_at) == (Plan.AFTER_HOURS, CLOSED)
    if mode is AfterHoursCallback.DEFER:
        assert owed.expires_at == OPENING + minutes(15)


NIGHT_TEXT = sms(body="We are closed now.")


@pytest.mark.parametrize(
    ("day_text", "night_text", "at", "is_owed"),
    [
        (sms(), NIGHT_TEXT, CLOSED, True),
        (sms(), None, CLOSED, True),
        (None, NIGHT_TEXT, CLOSED, True),
        (None, NIGHT_TEXT, NOON, False),
        (sms(), NIGHT_TEXT, NOON, True),
        (None, None, CLOSED, False),
    ],
)
def test_an_sms_is_owed_where_the_plan_has_one(
    day_text: Any, night_text: Any, at: datetime, is_owed: bool
) -> None:
    of = campaign(sms=day_text, hours=office(), after_hours=after_hours(AfterHoursCallback.DEFER, night_text))
    admission = decided(call(at=at), of)
    assert kinds(admission) == ((Kind.SMS,) if is_owed else ())
    if is_owed:
        owed = only(admission, Kind.SMS)
        assert (owed.state, owed.due_at) == (State.PLANNED, at)
        assert owed.plan is (Plan.AFTER_HOURS if at == CLOSED else Plan.OPEN)


def test_a_promotional_sms_is_held_through_the_quiet_hours_and_its_age_counts_from_their_end() -> None:
    of = campaign(sms=sms(message_class=MessageClass.PROMOTIONAL, give_up_after=minutes(10)))
    owed = only(decided(call(at=ist("2026-11-23 21:00")), of), Kind.SMS)
    assert (owed.state, owed.reason, owed.due_at) == (State.HELD, Reason.QUIET_HOURS, ist("2026-11-24 10:00"))
    assert owed.expires_at == ist("2026-11-24 10:10")
