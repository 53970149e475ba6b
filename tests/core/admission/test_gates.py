"""The gates of an action: let it through, hold it until a time, or close it; each with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.admission.clock_steps import is_too_far_ahead
from missedd.core.admission.gates import judge, sms_policy
from missedd.core.admission.judgement import Candidate, Close, Go, Hold, HoldForEvent, Judgement
from missedd.core.admission.pauses import Pause
from missedd.core.agent_rotation import Agent
from missedd.core.audit import Actor, Source
from missedd.core.business_hours import BusinessHours, Holidays, WeeklyWindow
from missedd.core.model import Kind, Outcome, Plan
from missedd.core.policy import AfterHoursCallback, Campaign, MessageClass
from missedd.core.reasons import Reason
from tests.core.campaigns import (
    INDIA,
    NOON,
    after_hours,
    callback,
    campaign,
    everything,
    ist,
    minutes,
    office,
    policy,
    sms,
)

DEFER, SKIP, SAME = AfterHoursCallback.DEFER, AfterHoursCallback.SKIP, AfterHoursCallback.SAME
PROMOTIONAL = MessageClass.PROMOTIONAL


def candidate(kind: Kind = Kind.CALLBACK, **changes: Any) -> Candidate:
    values: dict[str, Any] = {"campaign": "admissions", "plan": Plan.OPEN, "expires_at": None}
    return Candidate(kind, **values | changes)


def judged(of: Campaign, at: datetime = NOON, kind: Kind = Kind.CALLBACK, **changes: Any) -> Judgement:
    return judge(candidate(kind, **changes), policy(of), at)


DROPPED_UNCONFIGURED = Close(Outcome.DROPPED, Reason.NO_LONGER_CONFIGURED)


@pytest.mark.parametrize("kind", [Kind.CALLBACK, Kind.SMS, Kind.WEBHOOK])
def test_what_the_campaign_no_longer_asks_for_is_dropped(kind: Kind) -> None:
    assert judged(everything(), kind=kind) == Go()
    assert judged(campaign(), kind=kind) == DROPPED_UNCONFIGURED
    assert judged(everything(name="another"), kind=kind) == DROPPED_UNCONFIGURED


@pytest.mark.parametrize("kind", [Kind.LEAD, Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY])
def test_what_is_recorded_never_waits_at_a_gate(kind: Kind) -> None:
    with pytest.raises(AssertionError, match="recorded with its call"):
        judged(everything(), kind=kind)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.CALLBACK, Close(Outcome.DROPPED, Reason.SUPPRESSED_SINCE)),
        (Kind.SMS, Close(Outcome.DROPPED, Reason.SUPPRESSED_SINCE)),
        (Kind.WEBHOOK, Go()),
    ],
)
def test_nobody_suppressed_is_contacted_but_the_application_is_told(kind: Kind, expected: Judgement) -> None:
    assert judged(everything(), kind=kind, is_suppressed=True) == expected


@pytest.mark.parametrize("kind", [Kind.CALLBACK, Kind.SMS])
@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(0), Go()),
        (timedelta(microseconds=1), Close(Outcome.EXPIRED, Reason.TOO_OLD)),
        (timedelta(days=9), Close(Outcome.EXPIRED, Reason.TOO_OLD)),
        (timedelta(seconds=-1), Go()),
    ],
)
def test_older_than_its_limit_is_too_old(kind: Kind, late: timedelta, expected: Judgement) -> None:
    assert judged(everything(), kind=kind, expires_at=NOON - late) == expected


def test_suppression_is_told_before_age_and_age_before_the_hours() -> None:
    of = everything(hours=office())
    evening = ist("2026-11-23 20:00")
    old: dict[str, Any] = {"expires_at": evening - minutes(1)}
    assert judged(of, evening, is_suppressed=True, **old) == Close(Outcome.DROPPED, Reason.SUPPRESSED_SINCE)
    assert judged(of, evening, **old) == Close(Outcome.EXPIRED, Reason.TOO_OLD)


@pytest.mark.parametrize(
    ("mode", "at", "expected"),
    [
        (DEFER, "2026-11-23 09:30", Go()),
        (DEFER, "2026-11-23 18:29", Go()),
        (DEFER, "2026-11-23 18:30", ist("2026-11-24 09:30")),
        (DEFER, "2026-11-23 09:29", ist("2026-11-23 09:30")),
        (DEFER, "2026-11-28 14:00", ist("2026-11-30 09:30")),
        (SKIP, "2026-11-23 18:29", Go()),
        (SKIP, "2026-11-23 18:30", Close(Outcome.DROPPED, Reason.SKIPPED_AFTER_HOURS)),
        (SAME, "2026-11-23 18:30", Go()),
        (SAME, "2026-11-29 03:00", Go()),
    ],
)
def test_a_callback_keeps_business_hours(mode: AfterHoursCallback, at: str, expected: Any) -> None:
    of = campaign(callback=callback(), hours=office(), after_hours=after_hours(mode))
    if isinstance(expected, datetime):
        expected = Hold(expected, expected + minutes(15), Reason.BUSINESS_CLOSED)
    assert judged(of, ist(at)) == expected


def test_holidays_are_closed() -> None:
    diwali = Holidays(None, frozenset({date(2026, 11, 24), date(2026, 11, 25)}))
    of = campaign(callback=callback(), hours=office(diwali))
    opening = ist("2026-11-26 09:30")
    expected = Hold(opening, opening + minutes(15), Reason.BUSINESS_CLOSED)
    assert judged(of, ist("2026-11-23 19:00")) == expected
    assert judged(of, ist("2026-11-24 12:00")) == expected


def test_a_business_that_never_opens_drops_what_it_cannot_do() -> None:
    of = campaign(callback=callback(), hours=BusinessHours((), Holidays(None, frozenset()), INDIA))
    assert judged(of) == Close(Outcome.DROPPED, Reason.BUSINESS_CLOSED)


@pytest.mark.parametrize(
    ("message_class", "at", "until"),
    [
        (PROMOTIONAL, "2026-11-23 10:00", None),
        (PROMOTIONAL, "2026-11-23 20:59", None),
        (PROMOTIONAL, "2026-11-23 21:00", "2026-11-24 10:00"),
        (PROMOTIONAL, "2026-11-23 03:00", "2026-11-23 10:00"),
        (MessageClass.SERVICE, "2026-11-23 03:00", None),
        (MessageClass.TRANSACTIONAL, "2026-11-23 03:00", None),
    ],
)
@pytest.mark.parametrize("kind", [Kind.CALLBACK, Kind.SMS])
def test_quiet_hours_hold_what_is_promotional(
    kind: Kind, message_class: MessageClass, at: str, until: str | None
) -> None:
    of = campaign(
        callback=callback(message_class=message_class),
        sms=sms(message_class=message_class, give_up_after=minutes(15)),
    )
    expected: Judgement = Go()
    if until is not None:
        expected = Hold(ist(until), ist(until) + minutes(15), Reason.QUIET_HOURS)
    assert judged(of, ist(at), kind) == expected


@pytest.mark.parametrize(
    ("at", "until", "reason"),
    [
        # Quiet hours end at 10:00; the business opens at 09:30.
        ("2026-11-23 08:00", "2026-11-23 10:00", Reason.QUIET_HOURS),
        ("2026-11-23 09:45", "2026-11-23 10:00", Reason.QUIET_HOURS),
        ("2026-11-23 19:00", "2026-11-24 10:00", Reason.QUIET_HOURS),
        # On Saturday both windows begin at 10:00.
        ("2026-11-28 09:00", "2026-11-28 10:00", Reason.BUSINESS_CLOSED),
        ("2026-11-28 14:00", "2026-11-30 10:00", Reason.QUIET_HOURS),
    ],
)
def test_a_promotional_callback_waits_for_both_windows(at: str, until: str, reason: Reason) -> None:
    of = campaign(callback=callback(message_class=PROMOTIONAL), hours=office())
    assert judged(of, ist(at)) == Hold(ist(until), ist(until) + minutes(15), reason)


def test_windows_that_never_meet_drop_the_callback() -> None:

    night = BusinessHours(
        (WeeklyWindow(frozenset(range(7)), time(22), time(6)),), Holidays(None, frozenset()), INDIA
    )
    of = campaign(callback=callback(message_class=PROMOTIONAL), hours=night)
    assert judged(of) == Close(Outcome.DROPPED, Reason.QUIET_HOURS)


def test_the_cap_is_held_against_the_instant_of_release() -> None:
    of = campaign(callback=callback(max_per_hour=1), hours=office())
    evening, opening = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")
    capped = Close(Outcome.DROPPED, Reason.MAX_PER_HOUR)
    assert isinstance(judged(of, evening, other_callback_times=(evening - minutes(1),)), Hold)
    assert judged(of, evening, other_callback_times=(opening + minutes(1),)) == capped
    assert judged(of, evening, other_callback_times=(opening,)) == capped
    assert judged(of, opening, other_callback_times=(opening - minutes(59),)) == capped
    assert judged(of, opening, other_callback_times=(opening - minutes(60),)) == Go()


def test_after_hours_has_its_own_text_where_it_has_one() -> None:
    day, night = sms(), sms(body="closed")
    both = campaign(sms=day, after_hours=after_hours(DEFER, night))
    assert sms_policy(both, Plan.OPEN) == day
    assert sms_policy(both, Plan.AFTER_HOURS) == night
    assert sms_policy(campaign(sms=day), Plan.AFTER_HOURS) == day
    assert sms_policy(campaign(), Plan.AFTER_HOURS) is None


def test_a_text_of_the_night_alone_is_not_sent_by_day() -> None:
    of = campaign(after_hours=after_hours(DEFER, sms()))
    assert judged(of, kind=Kind.SMS) == DROPPED_UNCONFIGURED
    assert judged(of, kind=Kind.SMS, plan=Plan.AFTER_HOURS) == Go()


@pytest.mark.parametrize(
    ("ahead_s", "is_wrong"), [(119, False), (120, False), (120.000001, True), (-9e6, False)]
)
def test_over_two_minutes_ahead_is_a_wrong_clock(ahead_s: float, is_wrong: bool) -> None:
    assert is_too_far_ahead(NOON + timedelta(seconds=ahead_s), NOON) is is_wrong


@given(st.integers(0, 14 * 24 * 60), st.sampled_from([DEFER, SAME]), st.sampled_from(list(MessageClass)))
def test_what_a_gate_holds_it_lets_through_at_the_instant_it_named(
    offset: int, mode: AfterHoursCallback, message_class: MessageClass
) -> None:
    of = campaign(
        callback=callback(message_class=message_class), hours=office(), after_hours=after_hours(mode)
    )
    judgement = judged(of, NOON + minutes(offset))
    if isinstance(judgement, Hold):
        assert judgement.until > NOON + minutes(offset)
        assert judged(of, judgement.until, expires_at=judgement.expires_at) == Go()
    else:
        assert judgement == Go()


def paused(until: datetime | None = None, since: datetime = NOON) -> Pause:
    return Pause("admissions", since, until, "lunch", Actor(Source.API))


CONTACTS = st.sampled_from([Kind.CALLBACK, Kind.SMS])


@given(CONTACTS, st.integers(0, 7 * 24 * 60), st.integers(0, 600), st.none() | st.integers(0, 600))
def test_a_pause_moves_no_instant_and_nothing_goes_in_it(
    kind: Kind, offset: int, lives: int, lasts: int | None
) -> None:
    of = campaign(callback=callback(), sms=sms(message_class=PROMOTIONAL), hours=office())
    at = NOON + minutes(offset)
    expires_at = at + minutes(lives)
    until = None if lasts is None else at + minutes(lasts)
    without = judged(of, at, kind, expires_at=expires_at)
    judgement = judged(of, at, kind, expires_at=expires_at, pause=paused(until))
    if without != Go() or until == at:
        assert judgement == without  # what waits for an opening comes to this gate again then
        return
    assert isinstance(judgement, HoldForEvent)
    assert at < judgement.recheck_at <= expires_at + timedelta(microseconds=1)
    later = judged(of, judgement.recheck_at, kind, expires_at=expires_at, pause=paused(until))
    ended = judged(of, judgement.recheck_at, kind, expires_at=expires_at)
    assert later == (ended if judgement.recheck_at == until else Close(Outcome.EXPIRED, Reason.TOO_OLD))


def test_a_pause_holds_back_no_webhook() -> None:
    assert judged(everything(), kind=Kind.WEBHOOK, pause=paused()) == Go()


# Agents with duty hours.
def desk(start: int, end: int, days: str = "0123456") -> Agent:
    window = WeeklyWindow(frozenset(map(int, days)), time(start), time(end))
    return Agent(f"+9190000{start:02}{end:02}", BusinessHours((window,), Holidays(None, frozenset()), INDIA))


def connected(*agents: Agent, **changes: Any) -> Campaign:
    return campaign(callback=callback(flow=None, agents=agents, **changes))


def held(until: str, reason: Reason) -> Hold:
    return Hold(ist(until), ist(until) + minutes(15), reason)


@pytest.mark.parametrize(
    ("of", "at", "expected"),
    [
        (connected(desk(9, 13), desk(15, 19)), "2026-11-23 10:00", Go()),
        (
            connected(desk(9, 13), desk(15, 19)),
            "2026-11-23 13:00",
            held("2026-11-23 15:00", Reason.NO_AGENT_ON_DUTY),
        ),
        (
            connected(desk(9, 13), desk(15, 19)),
            "2026-11-23 20:00",
            held("2026-11-24 09:00", Reason.NO_AGENT_ON_DUTY),
        ),
        (connected(desk(9, 13), Agent("+911")), "2026-11-23 20:00", Go()),
    ],
)
def test_nobody_on_duty_holds_a_callback(of: Campaign, at: str, expected: Judgement) -> None:
    assert judged(of, ist(at)) == expected


def test_agents_hours_and_business_hours_together() -> None:
    of = replace(connected(desk(8, 12)), hours=office())
    assert judged(of, ist("2026-11-23 10:00")) == Go()
    # Monday afternoon: the agent's duty starts at 08:00, the business opens at 09:30.
    assert judged(of, ist("2026-11-23 14:00")) == held("2026-11-24 09:30", Reason.BUSINESS_CLOSED)
    # Friday afternoon: on Saturday the business opens at 10:00.
    assert judged(of, ist("2026-11-27 14:00")) == held("2026-11-28 10:00", Reason.BUSINESS_CLOSED)
    weekend = replace(connected(desk(15, 19, "56"), desk(16, 18, "0")), hours=office())
    assert judged(weekend, ist("2026-11-24 10:00")) == held("2026-11-30 16:00", Reason.NO_AGENT_ON_DUTY)


def test_a_promotional_callback_keeps_all_three() -> None:
    of = replace(connected(desk(19, 11), message_class=PROMOTIONAL), hours=office())
    assert judged(of, ist("2026-11-23 13:00")) == held("2026-11-24 10:00", Reason.QUIET_HOURS)


def test_hours_that_never_meet_drop_it() -> None:
    of = replace(connected(desk(20, 23)), hours=office())
    assert judged(of, ist("2026-11-23 10:00")) == Close(Outcome.DROPPED, Reason.NO_AGENT_ON_DUTY)


def test_skipping_is_about_business_hours_only() -> None:
    of = replace(connected(desk(8, 12)), hours=office(), after_hours=after_hours(SKIP))
    assert judged(of, ist("2026-11-23 14:00")) == held("2026-11-24 09:30", Reason.BUSINESS_CLOSED)
    skipped = Close(Outcome.DROPPED, Reason.SKIPPED_AFTER_HOURS)
    assert judged(of, ist("2026-11-23 20:00")) == skipped
    always = replace(of, after_hours=after_hours(SAME))
    assert judged(always, ist("2026-11-23 20:00")) == held("2026-11-24 08:00", Reason.NO_AGENT_ON_DUTY)
