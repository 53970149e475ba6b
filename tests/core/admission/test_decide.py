"""What a missed call leads to: the order of the rules, the dedup window, the time it runs from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.admission.caller_history import (
    CallerHistory,
    KnownCall,
    UnansweredCallback,
    history_lookback,
)
from missedd.core.admission.decide import decide
from missedd.core.admission.judgement import Candidate
from missedd.core.admission.plans import plan_retry
from missedd.core.model import Admission, InboundCall, Kind, Outcome, Plan, PlannedAction, State, Verdict
from missedd.core.people.consent import OptOut
from missedd.core.policy import AfterHoursCallback, Campaign, MessageClass, Retries
from missedd.core.reasons import ANSWERED_REASONS, Reason
from missedd.core.sliding_cap import CAP_WINDOW
from tests.core.campaigns import (
    EXOPHONE,
    NOON,
    SECOND_EXOPHONE,
    STRANGE,
    after_hours,
    call,
    callback,
    campaign,
    everything,
    ist,
    minutes,
    office,
    policy,
    seconds,
    sms,
)

RECORDED = (Kind.LEAD, Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY)
SENT = (Kind.WEBHOOK, Kind.SMS, Kind.CALLBACK)


def decided(
    inbound: InboundCall,
    *campaigns: Campaign,
    seen: KnownCall | None = None,
    history: CallerHistory | None = None,
    received_at: datetime | None = None,
) -> Admission:
    return decide(
        inbound,
        policy(*(campaigns or (everything(),))),
        seen,
        history or CallerHistory(),
        received_at or (inbound.called_at or NOON) + seconds(1),
    )


def kinds(admission: Admission) -> tuple[Kind, ...]:
    return tuple(each.kind for each in admission.actions)


def only(admission: Admission, kind: Kind) -> Any:
    (found,) = (each for each in admission.actions if each.kind is kind)
    return found


# Every rule that could apply is made to apply; then the first ones are taken away, one at a time.
EVERY_REASON: dict[str, Any] = {
    "seen": KnownCall(Verdict.ACCEPTED, Reason.FIRST_CALL),
    "not_missed": Reason.OUTBOUND_LEG,
    "dialled": (STRANGE,),
    "caller": None,
    "is_own": True,
    "is_suppressed": True,
    "is_repeat": True,
}
LADDER = [
    ((), Verdict.REDELIVERED, Reason.ALREADY_SEEN),
    (("seen",), Verdict.NOT_MISSED, Reason.OUTBOUND_LEG),
    (("seen", "not_missed"), Verdict.UNKNOWN_EXOPHONE, Reason.NO_SUCH_EXOPHONE),
    (("seen", "not_missed", "dialled"), Verdict.NO_CALLER_ID, Reason.WITHHELD_NUMBER),
    (("seen", "not_missed", "dialled", "caller"), Verdict.OWN_NUMBER, Reason.OWN_NUMBER),
    (("seen", "not_missed", "dialled", "caller", "is_own"), Verdict.SUPPRESSED, Reason.CALLER_SUPPRESSED),
    (
        ("seen", "not_missed", "dialled", "caller", "is_own", "is_suppressed"),
        Verdict.DUPLICATE,
        Reason.WITHIN_DEDUP_WINDOW,
    ),
    (tuple(EVERY_REASON), Verdict.ACCEPTED, Reason.FIRST_CALL),
]


@pytest.mark.parametrize(("without", "verdict", "reason"), LADDER)
def test_the_first_rule_that_applies_is_the_verdict(
    without: tuple[str, ...], verdict: Verdict, reason: Reason
) -> None:
    facts = {name: value for name, value in EVERY_REASON.items() if name not in without}
    history = CallerHistory(is_suppressed="is_suppressed" in facts)
    if "is_repeat" in facts:
        history.accepted.append(("admissions", NOON - minutes(1)))
    details = {name: facts[name] for name in ("not_missed", "dialled", "caller") if name in facts}
    if "is_own" in facts:
        details.setdefault("caller", EXOPHONE)
    admission = decided(
        call(**details), seen=EVERY_REASON["seen"] if "seen" in facts else None, history=history
    )
    assert (admission.verdict, admission.reason) == (verdict, reason)


@pytest.mark.parametrize("caller", [EXOPHONE, SECOND_EXOPHONE])
def test_no_exophone_of_the_configuration_is_a_person(caller: str) -> None:
    campaigns = everything(), campaign(name="desk", exophones=(SECOND_EXOPHONE,))
    admission = decided(call(caller=caller), *campaigns)
    assert (admission.verdict, admission.actions) == (Verdict.OWN_NUMBER, ())
    history = CallerHistory()
    history.record_accepted(admission)
    assert history == CallerHistory()
    assert decided(call(caller=caller), campaigns[0]).verdict is (
        Verdict.OWN_NUMBER if caller == EXOPHONE else Verdict.ACCEPTED
    )


DECIDED = [each for each in Verdict if each is not Verdict.NOT_MISSED]
INTERIM = (Reason.AGENT_EVENT, Reason.STILL_IN_PROGRESS, Reason.OTHER_PRODUCT, Reason.OUTBOUND_LEG)
NOTHING_NEW = (Verdict.REDELIVERED, Reason.ALREADY_SEEN)


def again(seen: KnownCall, not_missed: Reason | None) -> tuple[Verdict, Reason]:
    admission = decided(call(not_missed=not_missed), seen=seen)
    assert bool(admission.actions) == (admission.verdict is Verdict.ACCEPTED)
    return admission.verdict, admission.reason


@pytest.mark.parametrize("before", DECIDED)
@pytest.mark.parametrize("not_missed", [None, *INTERIM])
def test_whatever_was_decided_stays_decided(before: Verdict, not_missed: Reason | None) -> None:
    assert again(KnownCall(before, "first-call"), not_missed) == NOTHING_NEW


@pytest.mark.parametrize("proof", ANSWERED_REASONS)
@pytest.mark.parametrize("not_missed", [None, *INTERIM, *ANSWERED_REASONS])
def test_a_proof_that_somebody_took_it_is_final(proof: Reason, not_missed: Reason | None) -> None:
    assert again(KnownCall(Verdict.NOT_MISSED, proof), not_missed) == NOTHING_NEW
    assert again(KnownCall(Verdict.ACCEPTED, "first-call", was_answered=True), not_missed) == NOTHING_NEW


@pytest.mark.parametrize("before", DECIDED)
@pytest.mark.parametrize("proof", ANSWERED_REASONS)
def test_a_proof_holds_against_whatever_was_decided(before: Verdict, proof: Reason) -> None:
    erased = before is Verdict.REDELIVERED
    assert again(KnownCall(before, "first-call"), proof) == (
        NOTHING_NEW if erased else (Verdict.NOT_MISSED, proof)
    )


@pytest.mark.parametrize("before", INTERIM)
def test_what_is_said_of_a_call_that_goes_on_claims_nothing(before: Reason) -> None:
    seen = KnownCall(Verdict.NOT_MISSED, before)
    assert again(seen, None) == (Verdict.ACCEPTED, Reason.FIRST_CALL)
    assert again(seen, Reason.CONVERSATION) == (Verdict.NOT_MISSED, Reason.CONVERSATION)
    assert again(seen, Reason.VOICEMAIL) == (Verdict.NOT_MISSED, Reason.VOICEMAIL)
    assert again(seen, Reason.AGENT_EVENT) == NOTHING_NEW


ALL_KINDS = {*RECORDED, *SENT}


@pytest.mark.parametrize(
    ("history", "inbound", "kept"),
    [
        (CallerHistory(), call(), ALL_KINDS),
        (
            CallerHistory(accepted=[("admissions", NOON - minutes(1))]),
            call(),
            {Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY},
        ),
        (CallerHistory(is_suppressed=True), call(), {Kind.VOTE, Kind.UNSUBSCRIBE, Kind.VERIFY}),
        (
            CallerHistory(opt_out=OptOut(NOON, NOON, None, 1)),
            call(),
            {Kind.VOTE, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE, Kind.VERIFY},
        ),
        (CallerHistory(), call(caller=None), set()),
        (CallerHistory(), call(dialled=(STRANGE,)), set()),
        (CallerHistory(), call(dialled=()), set()),
        (CallerHistory(), call(not_missed=Reason.VOICEMAIL), set()),
    ],
)
def test_each_verdict_keeps_what_it_may(
    history: CallerHistory, inbound: InboundCall, kept: set[Kind]
) -> None:
    admission = decided(inbound, history=history)
    assert set(kinds(admission)) == kept
    assert list(kinds(admission)) == sorted(kinds(admission), key=list(Kind).index)
    for each in admission.actions:
        if each.kind in RECORDED:
            assert (each.state, each.outcome) == (State.DONE, Outcome.RECORDED)
            assert each.due_at == each.base_at == admission.called_at


def test_a_table_that_is_absent_is_a_thing_not_done() -> None:
    admission = decided(call(), campaign())
    assert (admission.verdict, admission.actions) == (Verdict.ACCEPTED, ())


def test_what_is_recorded_says_for_whom() -> None:
    admission = decided(call())
    assert only(admission, Kind.VOTE).details == {"poll": "singer", "option": "Asha"}
    assert only(admission, Kind.SUBSCRIBE).details == {"list": "weather", "purpose": "daily alerts"}
    assert only(admission, Kind.UNSUBSCRIBE).details == {"list": "news"}
    assert only(admission, Kind.LEAD).details == {"source": "missed_call"}


def test_the_first_known_number_among_those_dialled_names_the_campaign() -> None:
    second = campaign(name="second", exophones=(SECOND_EXOPHONE,))
    admission = decided(call(dialled=(STRANGE, SECOND_EXOPHONE, EXOPHONE)), everything(), second)
    assert (admission.campaign, admission.exophone) == ("second", SECOND_EXOPHONE)
    unknown = decided(call(dialled=(STRANGE, "+918047129998")))
    assert (unknown.campaign, unknown.exophone) == (None, STRANGE)


# The dedup window of five minutes, as the seconds since the accepted call.
@pytest.mark.parametrize(
    ("since", "verdict"),
    [
        (0, Verdict.DUPLICATE),
        (299.999999, Verdict.DUPLICATE),
        (300, Verdict.ACCEPTED),
        (-299.999999, Verdict.DUPLICATE),
        (-300, Verdict.ACCEPTED),
    ],
)
def test_the_window_ends_exactly_at_its_length(since: float, verdict: Verdict) -> None:
    history = CallerHistory(accepted=[("admissions", NOON - seconds(since))])
    assert decided(call(), history=history).verdict is verdict


def test_another_campaigns_window_is_its_own() -> None:
    history = CallerHistory(accepted=[("elsewhere", NOON)])
    assert decided(call(), history=history).verdict is Verdict.ACCEPTED


def test_a_window_of_nothing_takes_every_call() -> None:
    history = CallerHistory(accepted=[("admissions", NOON)])
    found = decided(call(), everything(dedup_window=minutes(0)), history=history)
    assert (found.verdict, found.reason) == (Verdict.ACCEPTED, Reason.NO_DEDUP_WINDOW)
    assert decided(call(), everything()).reason is Reason.FIRST_CALL


def stream(
    offsets: Sequence[float], *, of: Campaign | None = None, lags: Sequence[float] = ()
) -> list[Admission]:
    """Decide one caller's calls, given by their seconds since noon, each remembered for the next.

    Every callback is placed as it is due.
    """
    history, admissions = CallerHistory(), []
    for index, offset in enumerate(offsets):
        at = NOON + seconds(offset)
        received_at = at + seconds(lags[index] if lags else 1)
        inbound = call(f"c{index}", at)
        admissions.append(
            decided(inbound, of or campaign(callback=callback()), history=history, received_at=received_at)
        )
        history.record_accepted(admissions[-1])
        history.placed += [
            ("admissions", action.due_at)
            for action in admissions[-1].actions
            if action.kind is Kind.CALLBACK and action.state is not State.DONE
        ]
    return admissions


def test_a_stream_of_repeats_cannot_postpone_the_window() -> None:
    verdicts = [each.verdict for each in stream(range(0, 901, 60))]
    accepted = [index for index, verdict in enumerate(verdicts) if verdict is Verdict.ACCEPTED]
    assert accepted == [0, 5, 10, 15]


@given(
    st.lists(st.integers(0, 3600).map(float), max_size=30),
    st.integers(0, 900),
)
def test_no_window_ever_holds_two_accepted_calls(offsets: list[float], window_s: int) -> None:
    of = campaign(dedup_window=seconds(window_s))
    accepted = [each.called_at for each in stream(offsets, of=of) if each.verdict is Verdict.ACCEPTED]
    for one in accepted:
        assert sum(one <= each < one + of.dedup_window for each in accepted) <= max(
            1, len(accepted) * (not window_s)
        )


@given(
    st.lists(st.integers(0, 6 * 3600).map(float), max_size=30).map(sorted),
    st.integers(1, 3),
    st.sampled_from([0, 60, 600]),
)
def test_planned_callbacks_keep_the_cap(offsets: list[float], max_per_hour: int, window_s: int) -> None:
    of = campaign(dedup_window=seconds(window_s), callback=callback(max_per_hour=max_per_hour))
    planned = [
        action.due_at
        for each in stream(offsets, of=of)
        for action in each.actions
        if action.state is not State.DONE
    ]
    for one in planned:
        assert sum(one <= each < one + CAP_WINDOW for each in planned) <= max_per_hour
    accepted = sum(each.verdict is Verdict.ACCEPTED for each in stream(offsets, of=of))
    assert bool(planned) is bool(accepted)


@given(
    st.lists(st.integers(0, 48 * 3600).map(float), max_size=20).map(sorted),
    st.sampled_from(list(AfterHoursCallback)),
    st.sampled_from(list(MessageClass)),
)
def test_whatever_the_hours_no_planned_instant_breaks_them(
    offsets: list[float], mode: AfterHoursCallback, message_class: MessageClass
) -> None:
    hours = office()
    of = campaign(
        dedup_window=seconds(60),
        callback=callback(max_per_hour=1, message_class=message_class),
        hours=hours,
        after_hours=after_hours(mode),
    )
    planned = [a for each in stream(offsets, of=of) for a in each.actions if a.state is not State.DONE]
    instants = [each.due_at for each in planned]
    for one in instants:
        assert mode is AfterHoursCallback.SAME or hours.is_open(one)
        assert sum(one <= each < one + CAP_WINDOW for each in instants) <= 1
        if message_class is MessageClass.PROMOTIONAL:
            assert policy().promotional_hours.next_opening(one, "Asia/Kolkata") == one
    for each in planned:
        assert each.expires_at is not None
        assert each.expires_at >= each.due_at


# The call's own time, or its receipt.
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
    # It would go at half a minute past noon.
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


def test_a_history_remembers_accepted_calls_only() -> None:
    history = CallerHistory()
    history.record_accepted(decided(call(), history=CallerHistory(is_suppressed=True)))
    history.record_accepted(decided(call(dialled=(STRANGE,))))
    assert history == CallerHistory()
    history.record_accepted(decided(call()))
    assert history == CallerHistory(accepted=[("admissions", NOON)])


# Who rings back.
PLACED = NOON + seconds(30)


def missed(ended_at: datetime, placed_at: datetime = PLACED) -> CallerHistory:
    """The callback for a call of noon was not taken."""
    return CallerHistory(
        accepted=[("admissions", NOON)],
        unanswered_callbacks={"admissions": UnansweredCallback(placed_at, ended_at)},
    )


@pytest.mark.parametrize(
    ("called_s", "is_heard"), [(60, True), (61, True), (60.4, True), (59.9, False), (31, False), (299, True)]
)
def test_a_duplicate_that_answers_a_missed_callback_is_owed_one(called_s: float, is_heard: bool) -> None:
    at = NOON + seconds(called_s)
    admission = decided(call("c2", at), history=missed(NOON + seconds(60.7)), received_at=at)
    assert (admission.verdict, admission.reason) == (Verdict.DUPLICATE, Reason.WITHIN_DEDUP_WINDOW)
    heard = [
        (each.kind, each.reason, each.due_at, each.expires_at)
        for each in admission.actions
        if each.kind in (Kind.LEAD, *SENT)
    ]
    owed = (Kind.CALLBACK, Reason.RANG_BACK, at + seconds(30), at + minutes(15))
    assert heard == ([owed] if is_heard else [])


def test_who_rings_back_passes_every_gate() -> None:
    at = NOON + seconds(90)
    history = missed(NOON + seconds(60))
    history.placed += [("admissions", NOON + seconds(30)), ("admissions", NOON - minutes(5))]
    owed = only(decided(call("c2", at), history=history, received_at=at), Kind.CALLBACK)
    assert (owed.outcome, owed.reason) == (Outcome.DROPPED, Reason.MAX_PER_HOUR)


def test_a_callback_of_before_the_window_is_not_rung_back_to() -> None:
    at = NOON + seconds(90)
    history = missed(NOON - minutes(29), placed_at=NOON - minutes(30))
    assert not set(SENT) & set(kinds(decided(call("c2", at), history=history, received_at=at)))


# After hours.
CLOSED, OPENING = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")


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


# Retries.
def retried(
    of: Campaign, index: int, outcome: Outcome = Outcome.BUSY, at: datetime = NOON, **changes: Any
) -> PlannedAction | None:
    candidate = Candidate(Kind.CALLBACK, of.name, Plan.OPEN, at + minutes(15), **changes)
    return plan_retry(of, policy(of), index, outcome, candidate, at)


def test_a_retry_is_a_callback_of_its_own_counted_and_gated_anew() -> None:
    of = campaign(callback=callback(retries=(minutes(5), minutes(15))), hours=office())
    first = retried(of, 0)
    assert first is not None
    assert (first.due_at, first.expires_at, first.retry_index) == (NOON + minutes(5), NOON + minutes(20), 1)
    assert first.reason is Reason.RETRY_UNANSWERED
    second = retried(of, 1)
    assert second is not None
    assert second.due_at == NOON + minutes(15)
    assert retried(of, 2) is None


def test_a_retry_keeps_the_cap_and_the_hours() -> None:
    of = campaign(callback=callback(retries=(minutes(5),), max_per_hour=1), hours=office())
    capped = retried(of, 0, other_callback_times=(NOON,))
    assert capped is not None
    assert (capped.state, capped.reason) == (State.DONE, Reason.MAX_PER_HOUR)
    evening = ist("2026-11-23 18:28")
    held = retried(of, 0, at=evening)
    assert held is not None
    assert (held.state, held.due_at, held.reason) == (State.HELD, OPENING, Reason.BUSINESS_CLOSED)


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        (Outcome.NO_ANSWER, [5, 15]),
        (Outcome.BUSY, [1]),
        (Outcome.FAILED, [60]),
        (Outcome.ANSWERED, []),
        (Outcome.UNKNOWN, []),
    ],
)
def test_each_outcome_has_waits_of_its_own(outcome: Outcome, waits: list[int]) -> None:
    retries = Retries(no_answer=(minutes(5), minutes(15)), busy=(minutes(1),), failed=(minutes(60),))
    of = campaign(callback=callback(retries=retries, max_per_hour=9))
    planned = [retried(of, i, outcome) for i in range(3)]
    assert [each.due_at for each in planned if each] == [NOON + minutes(wait) for wait in waits]
    assert [each.retry_index for each in planned if each] == list(range(1, len(waits) + 1))


def test_no_callback_no_retry() -> None:
    assert retried(campaign(), 0) is None


def test_a_history_reaches_as_far_as_the_longest_window() -> None:
    assert history_lookback(policy(campaign())) == timedelta(hours=1)
    assert history_lookback(policy(campaign(), campaign(dedup_window=timedelta(days=2)))) == timedelta(days=2)
    assert history_lookback(policy()) == timedelta(hours=1)
